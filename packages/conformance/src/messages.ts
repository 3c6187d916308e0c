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
