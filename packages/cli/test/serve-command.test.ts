import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { endOf } from "../src/serve/end.ts";
import { MISBEHAVIORS } from "../src/serve/misbehaviors.ts";
import { type Place, type Running, ran, start } from "./command-line.ts";
import { answering, closeAfterEach, closeLater, scripted, serving } from "./stage.ts";

closeAfterEach();

/** A command that listens, and the port of its first line. */
async function started(
  args: readonly string[],
  place?: Place,
): Promise<Running & { port: number }> {
  const running = start(args, place);
  closeLater(async () => {
    running.stop();
    await running.done;
  });
  const [, port] = await running.shows(/^listening on \S*?:(\d+)/);
  return { ...running, port: Number(port) };
}

/** What a connection got, until it ended. */
async function textFrom(socket: net.Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  await new Promise((resolve) => socket.on("end", resolve).on("error", resolve));
  return text;
}

describe("serve", () => {
  test("is an end that echoes, and tells what happens", async () => {
    const { port, done, stop } = await started(["serve", "-p", "echo", "--echo"]);
    const probed = await ran([
      "probe",
      "--no-proxy",
      "-p",
      "echo",
      "--echo",
      `http://127.0.0.1:${port}/x`,
    ]);
    expect(probed.exit).toBe(0);
    expect(probed.out).toContain("ok half-close: bytes and FIN of ours: answered");
    stop();
    const { out, exit } = await done;
    expect(out).toContain("GET /x, HTTP/1.1, Upgrade: echo\n");
    expect(out).toContain("  answered 101 Switching Protocols\n  switched to echo\n");
    expect(exit).toBe(0);
  });

  test("without --echo says what it received", async () => {
    const { port, shows } = await started(["serve", "-p", "raw"]);
    const socket = net.connect(port, "127.0.0.1");
    closeLater(() => socket.destroy());
    socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\nhello");
    await shows(/ {2}received 5 bytes/);
  });

  test("misbehaves as it is told", async () => {
    const { port } = await started(["serve", "--misbehave", "wrong-key"]);
    const { exit, out } = await ran(["probe", "--no-proxy", `ws://127.0.0.1:${port}/`]);
    expect(out).toMatch(/^✗ Sec-WebSocket-Accept is wrong/);
    expect(exit).toBe(7);
  });

  test.each([
    [["serve", "--misbehave", "key"], "Type: --misbehave wrong-key"],
    [["serve", "--cert", "a.pem"], "Type: --cert cert.pem --key key.pem"],
    [["serve", "--port", "http"], "Type: --port 8080"],
    [["trace"], "Type: upgrade trace --listen 9000 --to 127.0.0.1:8080"],
    [["trace", "--listen", "0"], "Type: upgrade trace --listen 9000 --to 127.0.0.1:8080"],
    [["connect", "http://127.0.0.1/"], "Type: upgrade connect --protocol TOKEN http://127.0.0.1/"],
  ])("%j is a mistake", async (args, says) => {
    const { exit, error } = await ran(args);
    expect(exit).toBe(2);
    expect(error).toContain(says);
  });
});

describe("connect", () => {
  test("is a pipe, and keeps half-close: what comes after the end of stdin arrives", async () => {
    const port = await serving();
    const running = start(["connect", "--no-proxy", "-p", "echo", `http://127.0.0.1:${port}/`]);
    running.stdin.write("hello, ");
    await running.shows(/hello, /);
    running.stdin.end("world");
    const { exit, out, error } = await running.done;
    expect([exit, out, error]).toEqual([0, "hello, world", ""]);
  });

  test("asks a Unix socket as docker exec does: POST, a target, a body, and half-close", async () => {
    const folder = mkdtempSync(join(tmpdir(), "upgrade-cli-"));
    closeLater(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "socket");
    const server = endOf({ protocols: ["tcp"], subprotocols: [], isEcho: true });
    server.listen(path);
    await once(server, "listening");
    closeLater(() => server.close());
    const request = ["-X", "POST", "--target", "/exec/1/start", "-d", "{}"];
    const running = start(["connect", "-p", "tcp", ...request, `unix:${path}`]);
    running.stdin.end("ls\n");
    const { exit, out, error } = await running.done;
    expect([exit, out, error]).toEqual([0, "ls\n", ""]);
  });

  test("writes bytes that came with the 101 first", async () => {
    const port = await answering(
      "HTTP/1.1 101 a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\nearly\0\xff",
    );
    const running = start(["connect", "--no-proxy", "-p", "raw", `http://127.0.0.1:${port}/`]);
    await running.shows(/early/);
    running.stdin.destroy();
    running.stdout.destroy();
  });

  test("after the other side has ended, a pipe is sent to its end, and a terminal is not waited for", async () => {
    const received: Promise<string>[] = [];
    const port = await scripted((socket) => {
      received.push(textFrom(socket));
      socket.once("data", () => {
        socket.end("HTTP/1.1 101 a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\nbye");
      });
    });
    const args = ["connect", "--no-proxy", "-p", "raw", `http://127.0.0.1:${port}/`];
    const piped = start(args);
    await piped.shows(/bye/);
    piped.stdin.end("late");
    expect((await piped.done).exit).toBe(0);
    expect(await received[0]).toMatch(/\r\n\r\nlate$/);
    const typed = start(args);
    Object.assign(typed.stdin, { isTTY: true });
    expect(await typed.done).toMatchObject({ exit: 0, out: "bye" });
  });

  test("a reset after the switch is exit code 8", async () => {
    const port = await scripted((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 101 a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\nbye", () =>
          socket.once("data", () => socket.resetAndDestroy()),
        );
      });
    });
    const running = start(["connect", "--no-proxy", "-p", "raw", `http://127.0.0.1:${port}/`]);
    await running.shows(/bye/);
    running.stdin.write("x");
    const { exit, error } = await running.done;
    expect(exit).toBe(8);
    expect(error).toContain("✗ the connection broke: read ECONNRESET.");
  });

  test("a refusal is diagnosed on stderr", async () => {
    const port = await answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    const { exit, out, error } = await ran(["connect", "--no-proxy", `ws://127.0.0.1:${port}/x`]);
    expect([exit, out]).toEqual([6, ""]);
    expect(error).toMatch(/^✗ The server knows no \/x \(404\)\./);
  });

  test("--websocket sends each line as a message, and prints each message as a line", async () => {
    const port = await serving();
    const running = start(["connect", "--no-proxy", `ws://127.0.0.1:${port}/`]);
    running.stdin.end("one\ntwo\n");
    const { exit, out, error } = await running.done;
    expect([exit, out, error]).toEqual([0, "one\ntwo\n", ""]);
  });

  test("a WebSocket that breaks is exit code 8", async () => {
    const port = await serving({ misbehavior: MISBEHAVIORS["no-frames"] });
    const { exit, error } = await ran(["connect", "--no-proxy", `ws://127.0.0.1:${port}/`]);
    expect(exit).toBe(8);
    expect(error).toContain("✗ the connection broke: Invalid WebSocket frame");
  });

  test("a WebSocket that is not closed normally is exit code 8", async () => {
    const port = await serving({ misbehavior: MISBEHAVIORS["early-fin"] });
    const { exit, error } = await ran(["connect", "--no-proxy", `ws://127.0.0.1:${port}/`]);
    expect(exit).toBe(8);
    expect(error).toContain("✗ the WebSocket closed with 1006.");
  });
});

describe("trace", () => {
  test("sits in between, and prints both sides with the moment of the switch", async () => {
    const target = await serving();
    const { port, done, stop } = await started([
      "trace",
      "--no-proxy",
      "--listen",
      "0",
      "--to",
      `127.0.0.1:${target}`,
    ]);
    const probed = await ran([
      "probe",
      "--no-proxy",
      "-p",
      "echo",
      "--echo",
      "-H",
      "Cookie: abc",
      `http://127.0.0.1:${port}/`,
    ]);
    expect(probed.exit).toBe(0);
    stop();
    const { out } = await done;
    const lines = out.split("\n").map((line) => line.replace(/^#1 +(?:\d+ ms)? ?/, ""));
    expect(lines).toEqual(
      expect.arrayContaining([
        "> GET / HTTP/1.1",
        "> Cookie: ***",
        "< HTTP/1.1 101 Switching Protocols",
        "= switched to echo",
        '> 16 bytes: "upgrade probe 1\\n"',
        '< 16 bytes: "upgrade probe 1\\n"',
        "> FIN",
        "< FIN",
      ]),
    );
    expect(lines.indexOf("= switched to echo")).toBeGreaterThan(lines.indexOf("> Cookie: ***"));
  });

  test("says why the server cannot be reached", async () => {
    const { port, shows } = await started([
      "trace",
      "--no-proxy",
      "--listen",
      "0",
      "--to",
      "127.0.0.1:1",
    ]);
    const socket = net.connect(port, "127.0.0.1").on("error", () => {});
    closeLater(() => socket.destroy());
    await shows(/Nothing listens on 127\.0\.0\.1:1/);
    if (!socket.closed) await new Promise((resolve) => socket.on("close", resolve));
  });

  test("of a URL prints the exchange, and sends stdin", async () => {
    const port = await serving();
    const running = start(["trace", "--no-proxy", "-p", "echo", `http://127.0.0.1:${port}/`]);
    running.stdin.end("hello");
    const { exit, out } = await running.done;
    expect(exit).toBe(0);
    expect(out).toContain("= switched to echo\n");
    expect(out).toContain('< 5 bytes: "hello"\n');
  });

  test("of a URL that refuses has the verdict's exit code", async () => {
    const port = await answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    const { exit, out, error } = await ran(["trace", "--no-proxy", `ws://127.0.0.1:${port}/`]);
    expect(exit).toBe(6);
    expect(out).toContain("< HTTP/1.1 403 Forbidden\n");
    expect(error).toContain("✗ The server forbids this upgrade (403).");
  });
});
