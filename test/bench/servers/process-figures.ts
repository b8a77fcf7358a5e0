import { readFileSync } from "node:fs";

/** The kernel counts processor time in these (USER_HZ, 100 on every Linux that Node runs on). */
const ticksPerSecond = 100;

/** Seconds of processor time that a process has used so far, all threads together; NaN where the kernel has no /proc. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses, which may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return Number.NaN;
  }
}

/** Resident memory of a process in bytes: now, and the most it ever was. NaN where the kernel has no /proc. */
export function residentBytes(pid: number): { readonly now: number; readonly peak: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const of = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? Number.NaN) * 1024;
    return { now: of("VmRSS"), peak: of("VmHWM") };
  } catch {
    return { now: Number.NaN, peak: Number.NaN };
  }
}
