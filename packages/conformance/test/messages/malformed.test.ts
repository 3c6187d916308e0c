import { HttpConnection, RemoteProtocolError } from "@upgrade/core";
import type { ByteStream } from "@upgrade/core/io";
import type { Service } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

const ok = (body: string) => `${answer("200 OK", `Content-Length: ${body.length}`)}${body}`;
const echoLater: Service<ByteStream> = async ({ target }) => ({ status: 200, body: target });

describe("L11: a bad request", () => {
  test("after valid ones is refused after their responses", async () => {
    const { peer } = await serve(echoLater);
    await peer.send(`${head("GET /1") + head("GET /2")}GET / HTTP/1.1\r\n\r\n`);
    expect(await peer.readToEnd()).toBe(
      ok("/1") + ok("/2") + answer("400 Bad Request", "Content-Length: 0", "Connection: close"),
    );
  });

  const bad: [number, string][] = [
    [400, head("GET /", "Content-Length: 5", "Transfer-Encoding: chunked")],
    [413, head("POST /", "Content-Length: 11")],
    [414, head(`GET /${"x".repeat(8_192)}`)],
    [417, head("POST /", "Content-Length: 5", "Expect: a-pony")],
    [431, head("GET /", `X: ${"x".repeat(16_384)}`)],
    [501, head("POST /", "Transfer-Encoding: gzip, chunked")],
    [505, "GET / HTTP/2.0\r\nHost: a.test\r\n\r\n"],
  ];
  test.each(bad)("gets %i and the end, and never reaches the service", async (status, bytes) => {
    let calls = 0;
    const { peer, connection } = await serve(
      () => {
        calls++;
        return { status: 200 };
      },
      { maxBodyBytes: 10 },
    );
    await peer.send(`${bytes}GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    expect(await peer.readToEnd()).toMatch(
      new RegExp(
        `^HTTP/1\\.1 ${status} [^\\r]+\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n$`,
      ),
    );
    expect(calls).toBe(0);
    await peer.end();
    expect(await connection.closed).toMatchObject({ kind: "failed", error: { status } });
  });
});

/** Responses in which two readers would find different ends. */
const AMBIGUOUS: Record<string, string> = {
  "two framings": answer("200 OK", "Content-Length: 5", "Transfer-Encoding: chunked"),
  "two lengths": answer("200 OK", "Content-Length: 5", "Content-Length: 6"),
  "an invalid length": answer("200 OK", "Content-Length: +5"),
  "chunked before another coding": answer("200 OK", "Transfer-Encoding: chunked, gzip"),
  "white space after a name": answer("200 OK", "Content-Length : 5"),
  "a folded line": answer("200 OK", "X: a", " b"),
  "a chunk with a sign": `${answer("200 OK", "Transfer-Encoding: chunked")}+5\r\nhello\r\n0\r\n\r\n`,
};

describe("L11 strict in: a client that gets a response with", () => {
  test.each(Object.keys(AMBIGUOUS))("%s does not reuse the connection", async (which) => {
    const { peer, sender, connection } = await dial();
    const pending = sender.sendRequest(GET).then((response) => response.body.text());
    const waiting = rejection(sender.sendRequest(GET));
    await peer.readHead();
    await peer.send(`${AMBIGUOUS[which]}${answer("200 OK", "Content-Length: 0")}`);
    await expect(pending).rejects.toBeInstanceOf(RemoteProtocolError);
    expect(await waiting).toBe("NOT_SENT");
    expect(await rejection(sender.ready())).toBe("NOT_SENT");
    expect(await rejection(sender.sendRequest(GET))).toBe("NOT_SENT");
    expect([sender.isReady, sender.isClosed]).toEqual([false, true]);
    expect(await connection.closed).toMatchObject({ kind: "failed" });
    await turns();
    expect(peer.unread).toBe("");
  });
});

describe("L11 strict in: after a fault nothing more is read", () => {
  const errorOf = (connection: HttpConnection): unknown => {
    try {
      return connection.nextEvent();
    } catch (error) {
      return error;
    }
  };

  test.each(["server", "client"] as const)("our %s repeats the error, whatever comes", (role) => {
    const connection = new HttpConnection(role);
    if (role === "client") {
      connection.send({ type: "request", method: "GET", target: "/", headers: GET.headers });
      connection.send({ type: "end-of-message" });
    }
    connection.receiveData(Buffer.from("nonsense\r\n\r\n"));
    const fault = errorOf(connection);
    expect(fault).toBeInstanceOf(RemoteProtocolError);
    connection.receiveData(Buffer.from(role === "server" ? head("GET /") : answer("200 OK")));
    expect(errorOf(connection)).toBe(fault);
    connection.receiveEof();
    expect(errorOf(connection)).toBe(fault);
  });
});
