import { HttpConnection, RemoteProtocolError } from "@upgrade/core";
import { describe, expect, test } from "vitest";
import { dial } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

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
