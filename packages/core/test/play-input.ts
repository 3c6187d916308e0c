import type { Event, HttpConnection, Wait } from "../src/index.ts";

export const bytes = (text: string) => Buffer.from(text, "latin1");

export const text = (octets: Uint8Array) => Buffer.from(octets).toString("latin1");

/** The events of `input`, split into pieces of `size`. */
export function play(
  connection: HttpConnection,
  input: string,
  size = input.length || 1,
): string[] {
  const log: string[] = [];
  let body = "";
  const flush = () => {
    if (body !== "") log.push(`data ${body}`);
    body = "";
  };
  for (let at = 0; at < input.length; at += size) {
    connection.receiveData(bytes(input.slice(at, at + size)));
    for (
      let next = connection.nextEvent();
      typeof next === "object";
      next = connection.nextEvent()
    ) {
      if (next.type === "data") body += text(next.bytes);
      else {
        flush();
        log.push(describeEvent(next));
      }
    }
  }
  flush();
  return log;
}

export function describeEvent(event: Event | Wait): string {
  if (typeof event === "string") return event;
  switch (event.type) {
    case "request":
      return `request ${event.method} ${event.target} ${event.headers.toFlat().join("|")}`;
    case "response":
    case "interim-response":
      return `${event.type} ${event.status} ${event.reason}`;
    case "end-of-message":
      return `end ${event.trailers.toFlat().join("|")}`.trim();
    default:
      return event.type;
  }
}
