import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open, type ServeOptions, serve } from "@upgrade/node";
import { ConnectionError, LocalProtocolError, switching } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { head } from "../../src/messages.ts";
import {
  closeAfterEach,
  credentials,
  dial,
  ECHO,
  echo,
  hello,
  portOf,
  serveHere,
} from "../../src/pairs/listening.ts";
import { closeLater } from "../../src/pairs/loopback.ts";

closeAfterEach();

describe("a server that listens", () => {
  test("answers, and knows its address, its URL and the number of its connections", async () => {
    const server = await serveHere(hello, { date: false });
    expect(server.url).toBe(`http://127.0.0.1:${portOf(server)}/`);
    expect(server.connections).toBe(0);
    const client = await dial(server);
    await client.send(head("GET /"));
    expect(await client.readUntil("hello")).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(server.connections).toBe(1);
    void client.end();
    await once(client.socket, "close");
    await server.close();
    expect(server.connections).toBe(0);
  });

  test("has localhost in its URL if it listens on all addresses", async () => {
    const server = await serve(hello);
    closeLater(() => server.close());
    expect(server.url).toBe(`http://localhost:${portOf(server)}/`);
  });

  test("shows its URL and its connections in a console", async () => {
    const server = await serveHere(hello);
    const { inspect } = await import("node:util");
    expect(inspect(server)).toBe(`Server { url: '${server.url}', connections: 0 }`);
  });

  test("writes on after the client has ended its side, to a switched connection too", async () => {
    const late = switching<net.Socket, ["late"]>([
      ["late", ({ io }) => void io.resume().on("end", () => io.end("after your end"))],
    ]);
    const client = await dial(await serveHere(late));
    await client.send(head("GET /", "Connection: Upgrade", "Upgrade: late"));
    await client.readHead();
    await client.end();
    expect(await client.readToEnd()).toBe("after your end");
  });

  test("listens on a Unix socket whose path is as long as the system allows, and no longer", async () => {
    const folder = mkdtempSync("/tmp/upgrade-");
    closeLater(() => rmSync(folder, { recursive: true }));
    const most = process.platform === "linux" ? 107 : 103;
    const path = join(folder, "x".repeat(most - folder.length - 1));
    const server = await serve(hello, { path });
    expect(existsSync(path)).toBe(true);
    await dial(server);
    await server.close();
    for (const bad of [`${path}x`, `${folder}/\0`]) {
      const message = expect.stringContaining("path is a string, not a path of 1 to");
      for (const attempt of [
        serve(hello, { path: bad }),
        open(`unix:${bad}`),
        open({ path: bad }),
      ]) {
        await expect(attempt).rejects.toMatchObject({ code: "INVALID_OPTION", message });
      }
    }
  });

  test("listens on a Unix socket, and removes it when it closes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "upgrade-"));
    closeLater(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "a.sock");
    const server = await serve(hello, { path });
    expect([server.address, server.url]).toEqual([path, `unix:${path}`]);
    const client = await dial(server);
    await client.send(head("GET /"));
    await client.readUntil("hello");
    await client.end();
    await server.close();
    expect(existsSync(path)).toBe(false);
  });
});

describe("a server that cannot listen", () => {
  const failing = async (options: ServeOptions): Promise<unknown> =>
    serve(hello, options).then(
      (server) => closeLater(() => server.close()),
      (error: unknown) => error,
    );

  test("on a port in use: LISTEN_FAILED, and what to do", async () => {
    const server = await serveHere(hello);
    const port = portOf(server);
    const error = await failing({ port, host: "127.0.0.1" });
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({
      code: "LISTEN_FAILED",
      message: `the server cannot listen: port ${port} of 127.0.0.1: it is in use: end the other server, or choose another port (0 for any free one) (EADDRINUSE)`,
      cause: { code: "EADDRINUSE" },
    });
  });

  test("on an address of another machine", async () => {
    const error = await failing({ host: "192.0.2.1" });
    expect(error).toMatchObject({ code: "LISTEN_FAILED", cause: { code: "EADDRNOTAVAIL" } });
    expect(String(error)).toContain("port 0 of 192.0.2.1: this machine has no such address");
  });

  test("on a path in a folder that does not exist, or that is a file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "upgrade-"));
    closeLater(() => rmSync(folder, { recursive: true }));
    const missing = await failing({ path: join(folder, "no", "a.sock") });
    expect(missing).toMatchObject({ code: "LISTEN_FAILED" });
    writeFileSync(join(folder, "file"), "");
    const inUse = await failing({ path: join(folder, "file") });
    expect(inUse).toMatchObject({ code: "LISTEN_FAILED", cause: { code: "EADDRINUSE" } });
    expect(String(inUse)).toContain("if none runs, delete the file, which one has left");
  });

  test("because its signal has aborted", async () => {
    const error = await failing({ host: "127.0.0.1", signal: AbortSignal.abort("enough") });
    expect(error).toMatchObject({ code: "LISTEN_FAILED", cause: "enough" });
  });

  test("because its signal aborts while it begins to listen: nothing listens afterwards", async () => {
    const aborter = new AbortController();
    const attempt = failing({ host: "127.0.0.1", signal: aborter.signal });
    aborter.abort("enough");
    expect(await attempt).toMatchObject({ code: "LISTEN_FAILED", cause: "enough" });
  });
});

describe("bad input is an INVALID_OPTION that says what to do", () => {
  const { cert, key } = credentials;
  const bad: readonly [string, unknown, string][] = [
    [
      "a port that is text",
      { port: "8080" },
      "port is a string, not a whole number from 0 to 65535 (Number() converts a string)",
    ],
    ["a port that is too high", { port: 65_536 }, "port is 65536, not a whole number"],
    ["a misspelt option", { maxConnection: 1 }, "maxConnection: did you mean maxConnections?"],
    ["a misspelt option of connections", { idelMs: 1 }, "idelMs: did you mean idleMs?"],
    ["a limit of the wrong kind", { idleMs: "5s" }, "idleMs is a string"],
    ["an empty host", { host: "" }, "host is a string, not a string with a character or more"],
    ["a path and a port", { path: "/a", port: 1 }, "give either a path, or a port and a host"],
    ["no room for any connection", { maxConnections: 0 }, "maxConnections is 0"],
    ["a signal that is none", { signal: {} }, "signal is an object, not an AbortSignal"],
    [
      "TLS without a certificate",
      { tls: {} },
      "tls has no certificate: give cert and key, or pfx, or SNICallback",
    ],
    ["a certificate without its key", { tls: { cert } }, "tls has a cert without its key"],
    ["a key without its certificate", { tls: { key } }, "tls has a key without its cert"],
    ["a certificate that is none", { tls: { cert: "no", key } }, "tls cannot be used: "],
    ["options that are none", 8080, "options are 8080, not an object"],
  ];
  test.each(bad)("%s", async (_, options, says) => {
    const error = await serve(hello, options as ServeOptions).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(LocalProtocolError);
    expect(error).toMatchObject({ code: "INVALID_OPTION" });
    expect(String(error)).toContain(says);
  });

  test("a service that is none", async () => {
    const error = await serve({} as never).catch((e: unknown) => e);
    expect(String(error)).toContain("service is an object, not a function");
  });

  test("options of close(): nothing is closed", async () => {
    const server = await serveHere(hello);
    for (const options of [{ timeoutMs: -1 }, { upgraded: "kill" }, { timeout: 5 }]) {
      const error = await server.close(options as never).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: "INVALID_OPTION" });
    }
    const client = await dial(server);
    await client.send(head("GET /"));
    await client.readUntil("hello");
  });
});

describe("L12: maxConnections", () => {
  test("turns away what is too many, and notifies onError; then there is room again", async () => {
    const errors: unknown[] = [];
    const server = await serveHere(echo, {
      maxConnections: 1,
      onError: (error, { phase }) => errors.push([phase, error]),
    });
    const first = await dial(server);
    await first.send(ECHO);
    await first.readHead();
    const second = await dial(server);
    await second.readToLast();
    expect(errors).toMatchObject([["accept", { code: "ABORTED" }]]);
    expect(String(errors)).toContain("maxConnections is 1: 127.0.0.1 was turned away");
    await first.end();
    await once(first.socket, "close");
    const third = await dial(server);
    await third.send(head("GET /"));
    await third.readUntil("hello");
  });
});

test("onError may throw or reject", async () => {
  for (const onError of [
    () => {
      throw new Error("x");
    },
    () => Promise.reject(new Error("x")) as unknown as undefined,
  ]) {
    const server = await serveHere(echo, { tls: credentials, onError });
    const socket = net.connect(portOf(server), "127.0.0.1").on("error", () => {});
    await once(socket, "connect");
    socket.end("no TLS");
    await once(socket.resume(), "close");
  }
});

test("a client that resets at any moment is gone from the set, and ends no process", async () => {
  const server = await serveHere(echo);
  for (const bytes of ["", "GET", ECHO, `${ECHO}early`]) {
    const client = await dial(server);
    await client.send(bytes);
    if (bytes.length > 10) await client.readHead();
    client.reset();
  }
  const last = await dial(server);
  await last.send(head("GET /"));
  await last.readUntil("hello");
  await last.end();
  await server.close({ timeoutMs: 0 });
  expect(server.connections).toBe(0);
});
