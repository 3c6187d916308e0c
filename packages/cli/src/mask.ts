// bytes → [mask] → render: heads and URLs without secrets

const SECRET =
  /^(?:(?:proxy-)?authorization|(?:set-)?cookie2?|.*(?:api-?key|secret|token|password|credential).*)$/i;
const SECRET_PARAMETER =
  /((?:^|[?&])[^=&]*(?:key|token|secret|password|signature|auth)[^=&]*=)[^&#\s]+/gi;
const MASK = "***";

/** Whether the value of a field is a secret. `Sec-WebSocket-Key` is none: it is new for each request. */
export const isSecret = (name: string): boolean => SECRET.test(name);

/** A field's value, with the secret in it masked. The scheme of credentials stays. */
export function maskValue(name: string, value: string): string {
  if (!isSecret(name)) return value;
  const [, scheme] = /^([A-Za-z][\w-]*) \S/.exec(value) ?? [];
  const keepsScheme = /authorization$/i.test(name) && scheme !== undefined;
  return keepsScheme ? `${scheme} ${MASK}` : MASK;
}

/** A target or a URL, with the values of secret parameters masked. */
export function maskTarget(target: string): string {
  return target
    .replace(SECRET_PARAMETER, `$1${MASK}`)
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/i, `$1${MASK}@`);
}

/** A head as it was on the wire, with secrets masked. */
export function maskHead(head: string, showsSecrets: boolean): string {
  if (showsSecrets) return head;
  let isInSecret = false;
  return head
    .split("\n")
    .map((line, index) => {
      if (index === 0) return line.replace(/\S+/g, maskTarget);
      const cr = line.endsWith("\r") ? "\r" : "";
      // A line that begins with a space continues the field before it.
      if (/^[ \t]+\S/.test(line)) return isInSecret ? ` ${MASK}${cr}` : line;
      const [, name, space, value] = /^([^:\r\n]+):([ \t]*)(.*?)\r?$/.exec(line) ?? [];
      isInSecret = name !== undefined && isSecret(name.trim());
      if (!isInSecret) return line;
      return `${name}:${space}${maskValue(name!.trim(), value ?? "")}${cr}`;
    })
    .join("\n");
}
