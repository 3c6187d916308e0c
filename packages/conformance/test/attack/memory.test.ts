import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Event, HttpConnection, type RequestEvent } from "@upgrade/core";
import { describe, expect, test } from "vitest";

const path = (name: string): string =>
  fileURLToPath(new URL(`../../crash/${name}`, import.meta.url));

interface Kept {
  readonly heap: readonly string[];
  readonly wasm: readonly string[];
  readonly chunks: number;
}

interface Report {
  readonly before: Kept;
  readonly after: { readonly [end: string]: Kept };
  readonly isOtherOpen: boolean;
}

/** What a fresh process still holds of its messages. */
function keep(role: string) {
  const sources = new URL("../../crash/sources.mjs", import.meta.url).href;
  const program = [path("what-is-kept.mjs"), role];
  const node = ["--conditions=@upgrade/source", `--import=${sources}`, ...program];
  return new Promise<Report>((resolve, reject) => {
    execFile(process.execPath, node, { timeout: 60_000 }, (error, out) => {
      if (error === null) resolve(JSON.parse(out));
      else reject(error);
    });
  });
}

const NOTHING = { heap: [], wasm: [], chunks: 0 };
const AFTER = { close: NOTHING, abort: NOTHING, switch: NOTHING, fault: NOTHING };

test.each([
  { role: "server", heap: "setcookie", wasm: "authorization" },
  { role: "client", heap: "target", wasm: "setcookie" },
])(
  "nothing a $role has read or sent stays in memory after its end, while another connection is still open",
  async ({ role, heap, wasm }) => {
    const { before, after, isOtherOpen } = await keep(role);
    expect({ after, isOtherOpen }).toEqual({ after: AFTER, isOtherOpen: true });
    // It would see it if something did.
    expect(before.heap).toContain(heap);
    expect(before.wasm).toContain(wasm);
    expect(before.chunks).toBeGreaterThan(0);
  },
  60_000,
);

const octets = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

function request(next: Event | string): RequestEvent {
  if (typeof next === "string" || next.type !== "request") throw new Error(JSON.stringify(next));
  return next;
}

/** The next request. */
function read(server: HttpConnection): RequestEvent {
  return request(server.nextEvent());
}

/** Answers the current request, and begins the next cycle. */
function answer(server: HttpConnection): void {
  server.nextEvent();
  server.send({ type: "response", status: 200, bodyLength: 0 });
  server.send({ type: "end-of-message" });
  server.startNextCycle();
}

const linesOf = ({ method, target, headers }: RequestEvent) => [
  method,
  target,
  ...headers.toFlat(),
];

const FIRST = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
const SECOND = "GET /2 HTTP/1.1\r\nHost: b\r\nX: harmless words\r\n\r\n";

describe("all connections share one memory without seeing each other's bytes", () => {
  test("a head parsed while another chunk is being copied is unchanged", () => {
    const [near, far] = [new HttpConnection("server"), new HttpConnection("server")];
    const chunk = octets(FIRST + SECOND);
    near.receiveData(chunk);
    expect(linesOf(read(near))).toEqual(["GET", "/1", "Host", "a"]);
    answer(near);
    far.receiveData(octets("POST /far HTTP/1.1\r\nHost: far.test\r\nMany: more words\r\n\r\n"));
    far.receiveData(octets("PUT"));
    const { buffer } = chunk;
    let seen: RequestEvent | undefined;
    Object.defineProperty(chunk, "buffer", {
      get() {
        seen ??= read(far);
        return buffer;
      },
    });
    // Evicts the chunk from memory, so that it has to be copied again.
    const other = new HttpConnection("server");
    other.receiveData(octets("GET "));
    other.nextEvent();
    expect(linesOf(read(near))).toEqual(["GET", "/2", "Host", "b", "X", "harmless words"]);
    expect(linesOf(seen!)).toEqual(["POST", "/far", "Host", "far.test", "Many", "more words"]);
  });

  test("the bytes that were checked are used, though the owner has since overwritten the chunk", () => {
    const server = new HttpConnection("server");
    const chunk = octets(FIRST + SECOND);
    server.receiveData(chunk);
    read(server);
    answer(server);
    chunk.set(octets("\r\nEvil: x"), chunk.length - 4 - "less words".length);
    expect(linesOf(read(server))).toEqual(["GET", "/2", "Host", "b", "X", "harmless words"]);
  });

  test("a connection whose chunk is detached does not read another connection's bytes", () => {
    const [near, far] = [new HttpConnection("server"), new HttpConnection("server")];
    far.receiveData(octets("GE"));
    expect(far.nextEvent()).toBe("need-data");
    // TypeScript's ES2022 library lacks resizable buffers.
    const buffer: ArrayBuffer & { resize?(length: number): void } = Reflect.construct(ArrayBuffer, [
      ...[8, { maxByteLength: 8 }],
    ]);
    near.receiveData(new Uint8Array(buffer));
    near.receiveData(octets(FIRST));
    buffer.resize!(0);
    expect(linesOf(read(near))).toEqual(["GET", "/1", "Host", "a"]);
  });

  test("a chunk in memory shared with other threads is read like any other", () => {
    const server = new HttpConnection("server");
    const chunk = new Uint8Array(new SharedArrayBuffer(FIRST.length));
    chunk.set(octets(FIRST));
    server.receiveData(chunk);
    expect(linesOf(read(server))).toEqual(["GET", "/1", "Host", "a"]);
  });
});
