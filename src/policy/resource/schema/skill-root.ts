import { z } from "zod";

/**
 * An absolute folder, or a relative one that begins with a dot folder: no empty, `.` or `..` component, no trailing
 * slash, printable ASCII.
 */
export const skillRoot = z
  .string()
  .max(256)
  .regex(
    /^((\/([ --0-~][ -.0-~]*|\.[ --0-~][ -.0-~]*|\.\.[ -.0-~]+))+|\.[ --0-~][ -.0-~]*(\/([ --0-~][ -.0-~]*|\.[ --0-~][ -.0-~]*|\.\.[ -.0-~]+))*)$/,
    "give an absolute folder (/opt/agent/skills) or one that begins with a dot folder (.acme/skills), in ASCII, without empty, . or .. components and without a slash at the end",
  );
