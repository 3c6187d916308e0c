import type net from "node:net";
import { handshake as connectTo } from "@upgrade/client";
import { type Body, Deferred, ManualClock } from "@upgrade/core/io";
import { type ServerRequest, handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { answer, GET, head } from "../../src/messages.ts";
import { destroyPairs, tcpPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { ROLES, type Role } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

/** As much of a body as is read ahead. */
const FULL = "0123456789";
const options = { clock: new ManualClock(), readAheadBytes: FULL.length };

/** Our end with an unread body of `length` bytes, whose queue is full. */
async function holding(role: Role, length: number) {
  const [io, far] = await tcpPair();
  const peer = new ScriptedPeer(far);
  const body = new Deferred<Body>();
  const request = new Deferred<ServerRequest<net.Socket>>();
  if (role === "server") {
    const { connection } = await serve(
      io,
      (received) => {
        request.resolve(received);
        body.resolve(received.body);
        return new Promise<undefined>(() => {});
      },
      options,
    );
    await peer.send(head("POST /", `Content-Length: ${length}`) + FULL);
    return { peer, connection, body: await body.promise, request: await request.promise };
  }
  const { sender, connection } = await connectTo(io, options);
  const sent = sender.sendRequest(GET);
  await peer.readHead();
  await peer.send(answer("200 OK", `Content-Length: ${length}`) + FULL);
  return { peer, connection, body: (await sent).body, request: undefined };
}

/** What a reader gets, and how it ends. */
async function readAll(body: Body): Promise<[text: string, end: unknown]> {
  let text = "";
  try {
    for await (const chunk of body) text += Buffer.from(chunk).toString("latin1");
    return [text, "its end"];
  } catch (error) {
    return [text, (error as { code: unknown }).code];
  }
}

describe.each(ROLES)("L18: our %s with an unread body", (role) => {
  test("detects an end in the middle of it at once, and delivers what came before", async () => {
    const { peer, connection, body, request } = await holding(role, 99);
    await turns();
    await peer.end();
    expect(await connection.closed).toMatchObject({
      kind: "failed",
      error: { code: "INCOMPLETE_MESSAGE", phase: "body" },
    });
    expect(await readAll(body)).toEqual([FULL, "INCOMPLETE_MESSAGE"]);
    if (request === undefined) return;
    expect(request.signal.reason).toMatchObject({ code: "INCOMPLETE_MESSAGE" });
    expect(request.peerEnded).toBe(false);
  });

  test("detects an end after its last byte, which is not a failure", async () => {
    const { peer, connection, body, request } = await holding(role, FULL.length);
    await turns();
    await peer.end();
    if (request === undefined) {
      await connection.closed;
      expect(connection.closeReason).toMatchObject({ kind: "peer-ended" });
    } else {
      while (!request.peerEnded) await turns(1);
      expect(request.signal.reason).toMatchObject({ code: "PEER_ENDED" });
    }
    expect(await readAll(body)).toEqual([FULL, "its end"]);
  });

  test("detects an end after more of its bytes once they are read", async () => {
    const { peer, connection, body } = await holding(role, 99);
    await turns();
    void peer.send("and more");
    await peer.end();
    await turns(20);
    expect(connection.closeReason).toBe(undefined);
    expect(await readAll(body)).toEqual([`${FULL}and more`, "INCOMPLETE_MESSAGE"]);
    expect((await connection.closed).kind).toBe("failed");
  });

  test("detects a reset at once", async () => {
    const { peer, connection, body } = await holding(role, 99);
    await turns();
    peer.reset();
    expect(await connection.closed).toMatchObject({ error: { code: "TRANSPORT_FAILED" } });
    expect(await readAll(body)).toEqual([FULL, "TRANSPORT_FAILED"]);
  });
});
