// command line → [misbehaviors] → spoiled: what an end does wrong on purpose, as data

/** One thing done to the connection; what follows the steps is passed on. */
export type Step =
  | { readonly send: string }
  | { readonly pauseMs: number }
  /** FIN, and nothing more. */
  | "end"
  /** RST. */
  | "reset"
  /** Nothing more is sent, and nothing ends. */
  | "silence";

export interface Misbehavior {
  /** What it does, for the help. */
  readonly says: string;
  /** From the head of a correct answer. Default: it is sent as it is. */
  readonly spoil?: (head: string) => readonly Step[];
  /** After the switch, the connection is closed when nothing has passed for so long. */
  readonly cutAfterMs?: number;
  /** FIN of the other side closes both sides at once. */
  readonly closesOnFin?: boolean;
}

const END = "\r\n\r\n";
const instead =
  (text: string, ...lines: readonly string[]) =>
  () => [{ send: `HTTP/1.1 ${[text, ...lines, "Content-Length: 0"].join("\r\n")}${END}` }];
const changed = (change: (head: string) => string) => (head: string) => [{ send: change(head) }];
const without = (name: string) =>
  changed((head) => head.replace(new RegExp(`^${name}:.*\r\n`, "im"), ""));
const plus = (line: string) => changed((head) => head.replace(END, `\r\n${line}${END}`));
const set = (name: string, value: string) =>
  changed((head) => head.replace(new RegExp(`^(${name}): .*$`, "im"), `$1: ${value}`));

export const MISBEHAVIORS: Readonly<Record<string, Misbehavior>> = {
  "no-connection-option": {
    says: "a 101 without Connection: Upgrade",
    spoil: without("Connection"),
  },
  "no-upgrade-field": { says: "a 101 without Upgrade", spoil: without("Upgrade") },
  "other-protocol": {
    says: "a 101 to a protocol that was not offered",
    spoil: set("Upgrade", "other"),
  },
  "old-101": {
    says: "a 101 in HTTP/1.0",
    spoil: changed((head) => head.replace("HTTP/1.1", "HTTP/1.0")),
  },
  "wrong-key": {
    says: "a wrong Sec-WebSocket-Accept",
    spoil: set("Sec-WebSocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
  },
  "no-key": { says: "no Sec-WebSocket-Accept", spoil: without("Sec-WebSocket-Accept") },
  "repeated-key": {
    says: "Sec-WebSocket-Accept twice",
    spoil: plus("Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
  },
  "unasked-extension": {
    says: "an extension that was not offered",
    spoil: plus("Sec-WebSocket-Extensions: x-unasked"),
  },
  "wrong-extension": {
    says: "parameters of permessage-deflate that break the rules",
    spoil: plus("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99"),
  },
  "unasked-subprotocol": {
    says: "a subprotocol that was not offered",
    spoil: plus("Sec-WebSocket-Protocol: unasked"),
  },
  "200": { says: "200 instead of 101", spoil: instead("200 OK") },
  "302": { says: "a redirect", spoil: instead("302 Found", "Location: /elsewhere") },
  "401": { says: "401", spoil: instead("401 Unauthorized", 'WWW-Authenticate: Bearer realm="a"') },
  "403": { says: "403", spoil: instead("403 Forbidden") },
  "404": { says: "404", spoil: instead("404 Not Found") },
  "426": {
    says: "426, as if the request had no Upgrade",
    spoil: (head) => {
      const [, protocol = "websocket"] = /^Upgrade: (.*)$/im.exec(head) ?? [];
      const lines = ["Connection: Upgrade", `Upgrade: ${protocol.trim()}`];
      return instead("426 Upgrade Required", ...lines)();
    },
  },
  "503": { says: "503", spoil: instead("503 Service Unavailable") },
  "lower-case": {
    says: "field names in lower case, which is allowed",
    spoil: changed((head) => head.replace(/^[\w-]+(?=:)/gm, (name) => name.toLowerCase())),
  },
  "in-pieces": {
    says: "the 101 in two pieces, which is allowed",
    spoil: (head) => [{ send: head.slice(0, 20) }, { pauseMs: 50 }, { send: head.slice(20) }],
  },
  "cut-101": {
    says: "half of the head, and FIN",
    spoil: (head) => [{ send: head.slice(0, head.length / 2) }, "end"],
  },
  "half-head": {
    says: "a head without its empty line, and silence",
    spoil: (head) => [{ send: head.slice(0, -2) }, "silence"],
  },
  "bad-field": { says: "a line that is no field", spoil: plus("this is no field") },
  "garbage": {
    says: "an answer that is not HTTP",
    spoil: () => [{ send: "220 mail.test ESMTP\r\n" }],
  },
  "http2": {
    says: "a frame of HTTP/2",
    spoil: () => [{ send: "\0\0\0\x04\0\0\0\0\0" }, "silence"],
  },
  "silence": { says: "no answer, and no end", spoil: () => ["silence"] },
  "no-answer": { says: "FIN instead of an answer", spoil: () => ["end"] },
  "reset": { says: "RST instead of an answer", spoil: () => ["reset"] },
  "early-fin": { says: "a correct 101, and FIN at once", spoil: (head) => [{ send: head }, "end"] },
  "early-reset": {
    says: "a correct 101, and RST at once",
    spoil: (head) => [{ send: head }, { pauseMs: 50 }, "reset"],
  },
  "no-relay": {
    says: "a correct 101, and nothing after it",
    spoil: (head) => [{ send: head }, "silence"],
  },
  "no-frames": {
    says: "a correct 101, and text that is no frame",
    spoil: (head) => [{ send: `${head}hello, this is no frame\n` }, "silence"],
  },
  "idle-cut": { says: "a close after 5 s of silence", cutAfterMs: 5_000 },
  "lost-half-close": { says: "FIN of the client closes both sides", closesOnFin: true },
};
