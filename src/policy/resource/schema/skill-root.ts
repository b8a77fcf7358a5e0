import { z } from "zod";
import { celRule } from "./constraints.ts";

/** A component that is neither empty nor `.` or `..`, in printable ASCII; the same for RE2, without a backslash. */
const component = "([ --0-~][ -.0-~]*|[.][ --0-~][ -.0-~]*|[.][.][ -.0-~]+)";
const dotFolder = "[.][ --0-~][ -.0-~]*";

const pattern = `^((/${component})+|${dotFolder}(/${component})*)$`;

const isSkillRoot = new RegExp(pattern);

/** An absolute folder, or a relative one that begins with a dot folder, without a slash at the end. */
export const skillRoot = celRule(z.string().max(256), {
  rule: `self.matches('${pattern}')`,
  message:
    "is no skill root: write a folder from / (/opt/agent/skills) or from a dot folder (.acme/skills), in ASCII, without empty, . or .. parts and a slash at the end",
  namesValue: true,
  check: (path) => isSkillRoot.test(path),
});
