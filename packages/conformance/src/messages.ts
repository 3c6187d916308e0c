/** A request's head, with a Host. */
export function head(requestLine: string, ...fields: string[]): string {
  return [`${requestLine} HTTP/1.1`, "Host: a.test", ...fields, "", ""].join("\r\n");
}

/** A response's head. */
export function answer(statusLine: string, ...fields: string[]): string {
  return [`HTTP/1.1 ${statusLine}`, ...fields, "", ""].join("\r\n");
}

export const GET = { method: "GET", target: "/", headers: { Host: "a.test" } } as const;
export const POST = { method: "POST", target: "/", headers: { Host: "a.test" } } as const;

/** Bytes as text, one character per octet. */
export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** Text, one octet per character, as bytes in a buffer of their own. */
export const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
