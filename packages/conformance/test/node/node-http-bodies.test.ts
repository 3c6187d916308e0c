import http from "node:http";
import net from "node:net";
import { adoptUpgrade, serveUpgrades } from "@upgrade/node";
import { handshake, type ServerRequest } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { head } from "../../src/messages.ts";
import { closeAfterEach } from "../../src/pairs/listening.ts";
import { closeLater, open, portOf } from "../../src/pairs/loopback.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

closeAfterEach();

// From this version on, node:http reads the body of a proposal, and gives a stand-in meanwhile.
const READS_BODIES = Number.parseInt(process.versions.node, 10) >= 26;
const CHUNKED = ["Transfer-Encoding: chunked"];
const proposal = (...fields: string[]) =>
  head("POST /", "Connection: Upgrade", "Upgrade: echo", ...fields);

async function stage() {
  const errors: unknown[] = [];
  const service = async (asked: ServerRequest<net.Socket>) => {
    const body = await asked.body.text();
    const trailers = await asked.trailers;
    const { io, readBuf } = await asked.switchTo("echo");
    expect(io).toBeInstanceOf(net.Socket);
    io.on("error", () => {}).write(`${body} ${trailers.toFlat().join(" ")} `);
    io.write(readBuf);
    io.pipe(io);
  };
  const httpServer = http.createServer();
  const upgrades = serveUpgrades(httpServer, service, { onError: (error) => errors.push(error) });
  const port = await portOf(httpServer);
  closeLater(() => upgrades.close({ timeoutMs: 1, upgraded: "abort" }));
  closeLater(() => httpServer.closeAllConnections());
  return { upgrades, errors, httpServer, dial: () => new ScriptedPeer(open(port)) };
}

/** Sends the rest in a packet of its own. */
async function sendInTwo(client: ScriptedPeer, whole: string, at: number): Promise<void> {
  await client.send(whole.slice(0, at));
  await turns();
  await client.send(whole.slice(at));
}

describe("the body of a proposal on a node:http server", () => {
  test.each([
    ["of a known length", proposal("Content-Length: 4"), "body", "body "],
    ["that is empty", proposal("Content-Length: 0"), "", " "],
    ["in chunks", proposal(...CHUNKED), "2\r\nbo\r\n2;x=1\r\ndy\r\n0\r\n\r\n", "body "],
    ["in no chunk", proposal(...CHUNKED), "0\r\n\r\n", " "],
    [
      "with trailers",
      proposal(...CHUNKED, "Trailer: a"),
      "4\r\nbody\r\n0\r\nA: 1\r\nb:  2\r\n\r\n",
      "body A 1 b 2",
    ],
    ["of trailers alone", proposal(...CHUNKED), "0\r\nA: 1\r\n\r\n", " A 1"],
  ])("%s, is the service's, however it was split", async (_, request, body, text) => {
    const { dial, errors } = await stage();
    const whole = `${request}${body}early`;
    for (let at = request.length - 3; at <= whole.length; at++) {
      const client = dial();
      await sendInTwo(client, whole, at);
      await client.readHead();
      expect(await client.readUntil("early")).toBe(`${text} early`);
      await client.end();
      expect(await client.readToEnd()).toBe("");
    }
    expect(errors).toEqual([]);
  });

  test("that is longer than a packet", async () => {
    const { dial } = await stage();
    const client = dial();
    const body = "0123456789abcdef".repeat(30_000);
    await client.send(proposal(`Content-Length: ${body.length}`));
    await client.send(`${body}early`);
    await client.readHead();
    expect(await client.readUntil("early")).toBe(`${body}  early`);
  });

  test("a client that ends its side right after it", async () => {
    const { dial } = await stage();
    for (const at of [0, 1, 4]) {
      const client = dial();
      await sendInTwo(client, `${proposal("Content-Length: 4")}body`, -4 + at || Infinity);
      await client.end();
      expect(await client.readToEnd()).toMatch(/\r\n\r\nbody {2}$/);
    }
  });

  test.each(["reset", "end"] as const)("a client that goes away (%s) inside of it", async (way) => {
    const { dial, upgrades } = await stage();
    for (const body of ["", "bo"]) {
      const client = dial();
      await sendInTwo(client, proposal("Content-Length: 4") + body, Infinity);
      await turns();
      void client[way]();
      await client.readToLast();
    }
    await upgrades.close({ timeoutMs: 0 });
    expect(upgrades.connections).toBe(0);
  });

  test("that someone else has read, is an INVALID_IO where it was in req", async () => {
    const httpServer = http.createServer();
    const outcome = new Promise<unknown>((resolve) => {
      httpServer.on("upgrade", async (req, socket, early) => {
        closeLater(() => socket.destroy());
        for await (const chunk of req) expect(String(chunk)).toBe("body");
        const adopted = await adoptUpgrade(req, socket, early).catch((error: unknown) => error);
        resolve(adopted === socket ? "adopted" : adopted);
      });
    });
    const client = new ScriptedPeer(open(await portOf(httpServer)));
    await client.send(`${proposal("Content-Length: 4")}body`);
    const error = { name: "LocalProtocolError", code: "INVALID_IO" };
    if (READS_BODIES) expect(await outcome).toMatchObject(error);
    else expect(await outcome).toBe("adopted");
  });

  test("above 1 MiB: a BODY_TOO_LARGE where node:http reads it, otherwise by our own limits", async () => {
    const { dial, errors, upgrades } = await stage();
    const client = dial();
    const length = 1024 * 1024 + 1;
    await client.send(proposal(`Content-Length: ${length}`));
    client.send("x".repeat(length)).catch(() => {});
    const answer = await client.readToLast();
    const tooLarge = { name: "RemoteProtocolError", code: "BODY_TOO_LARGE" };
    expect(errors).toMatchObject([tooLarge]);
    if (!READS_BODIES) expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    await upgrades.close({ timeoutMs: 1 });
  });

  test("a socket that is gone before it is adopted gives a failed connection", async () => {
    const httpServer = http.createServer();
    const kind = new Promise<string>((resolve) => {
      httpServer.on("upgrade", async (req, socket, early) => {
        socket.destroy();
        const adopted = await adoptUpgrade(req, socket, early);
        const { connection } = await handshake(adopted, () => ({ status: 500 }));
        resolve((await connection.closed).kind);
      });
    });
    const client = new ScriptedPeer(open(await portOf(httpServer)));
    await client.send(`${proposal("Content-Length: 4")}body`);
    expect(await kind).toBe("failed");
  });
});
