import { HttpConnection, UpgradeError } from "@upgrade/core";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { stateOf } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

/** The error a promise rejects with. */
async function errorOf(promise: Promise<unknown>): Promise<UpgradeError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UpgradeError);
  return error as UpgradeError;
}

describe("L16: an error has the offset of the peer's fault, counted over all it has sent", () => {
  const fault = (bytes: string): UpgradeError => {
    const server = new HttpConnection("server");
    server.receiveData(Buffer.from(bytes, "latin1"));
    try {
      for (;;) {
        const next = server.nextEvent();
        if (next === "need-data") throw new Error("no fault");
        if (next !== "paused") continue;
        server.send({ type: "response", status: 204 });
        server.send({ type: "end-of-message" });
        server.startNextCycle();
      }
    } catch (error) {
      return error as UpgradeError;
    }
  };
  const first = head("GET /1");

  test("in the start line of a second head", () => {
    expect(fault(`${first}GET / HTTP/1.2\r\n`)).toMatchObject({
      code: "UNSUPPORTED_VERSION",
      phase: "head",
      offset: first.length + "GET / HTTP/1.".length,
    });
  });

  test("in a chunk's line, after a head and data", () => {
    const sent = `${first}${head("POST /", "Transfer-Encoding: chunked")}4\r\ndata\r\n`;
    expect(fault(`${sent}5z\r\n`)).toMatchObject({
      code: "MALFORMED_CHUNK",
      phase: "body",
      offset: sent.length + 1,
    });
  });

  test("in a trailer section", () => {
    const sent = `${head("POST /", "Transfer-Encoding: chunked")}0\r\n`;
    const error = fault(`${sent}A B: c\r\n\r\n`);
    expect(error).toMatchObject({ code: "MALFORMED_TRAILER", phase: "body" });
    expect(error.offset).toBe(sent.length + 1);
  });

  test("a later stage adds details, and removes none", () => {
    const error = fault("GET / HTTP/1.2\r\n");
    const { offset, phase } = error;
    error.annotate({ offset: 1, phase: "later", bytesRead: 7 });
    expect(error).toMatchObject({ offset, phase, bytesRead: 7 });
    error.annotate({});
    expect(error).toMatchObject({ offset, phase, bytesRead: 7 });
  });
});

describe("L16: an error says how many bytes were transferred", () => {
  test("on a server whose client ends in the middle of a body", async () => {
    const { peer, connection } = await serve((request) => {
      request.sendInterim(103);
      return request.body.bytes().then(() => ({ status: 200 }));
    });
    const sent = `${head("POST /", "Content-Length: 9")}four`;
    await peer.send(sent);
    const written = await peer.readHead();
    await peer.end();
    const error = await errorOf(connection.run());
    expect(error).toMatchObject({
      code: "INCOMPLETE_MESSAGE",
      bytesRead: sent.length,
      bytesWritten: written.length,
    });
  });

  test("on a client whose server breaks the rules", async () => {
    const { peer, sender, connection } = await dial();
    const failure = errorOf(sender.sendRequest(GET));
    const written = await peer.readHead();
    const sent = "HTTP/1.1 20 OK\r\n\r\n";
    await peer.send(sent);
    const error = await failure;
    expect(error).toMatchObject({ bytesRead: sent.length, bytesWritten: written.length });
    expect(connection.closeReason).toEqual({ kind: "failed", error });
  });
});

describe("L16: an error says how much of a request was handed to the transport", () => {
  const GONE = answer("204 No Content", "Connection: close");

  test("nothing, and it is safe to repeat", async () => {
    const { sender, connection } = await dial();
    const failure = errorOf(sender.sendRequest(GET));
    // Nothing has left in the turn of the call.
    connection.abort("now");
    expect(await failure).toMatchObject({ sent: "nothing", responseSeen: false, retrySafe: true });
  });

  test("nothing of one queued after the last exchange", async () => {
    const { peer, sender } = await dial();
    const first = sender.sendRequest(GET);
    const second = errorOf(sender.sendRequest(GET));
    await peer.readHead();
    await peer.send(GONE);
    expect((await first).status).toBe(204);
    expect(await second).toMatchObject({ code: "NOT_SENT", sent: "nothing", retrySafe: true });
  });

  test("part of it, which is not safe", async () => {
    const { peer, sender, connection } = await dial();
    async function* body() {
      yield "half";
      await new Promise(() => {});
    }
    const failure = errorOf(sender.sendRequest({ ...POST, body: body() }));
    await peer.readUntil("half");
    connection.abort("now");
    expect(await failure).toMatchObject({ sent: "part", responseSeen: false, retrySafe: false });
  });

  test("only its head, which is not safe either: the body is untouched, but the server may act", async () => {
    const { peer, sender, connection } = await dial();
    const headers = { Host: "a.test", Expect: "100-continue" };
    const failure = errorOf(sender.sendRequest({ ...POST, headers, body: ["held back"] }));
    await peer.readHead();
    connection.abort("now");
    expect(await failure).toMatchObject({ sent: "part", bodyBegun: false, retrySafe: false });
  });

  test("all of it, with half a response received", async () => {
    const { peer, sender, connection } = await dial();
    const failure = errorOf(sender.sendRequest(GET));
    await peer.readHead();
    await peer.send("HTTP/1.1 200 OK\r\nA");
    await turns();
    connection.abort("now");
    expect(await failure).toMatchObject({ sent: "all", responseSeen: true, retrySafe: false });
  });
});

test("L16: the caller's reason is the cause of the error", async () => {
  const { sender, connection } = await dial();
  const failure = errorOf(sender.sendRequest(GET));
  const reason = new Error("mine");
  connection.abort(reason);
  expect(await failure).toMatchObject({ code: "ABORTED", cause: reason });
  expect(await stateOf(connection.closed)).toMatchObject({ error: { cause: reason } });
});

const NO_CONTENT = answer("204 No Content");

describe("an error says", () => {
  test("without a response: how much was sent, and how many bytes went each way", async () => {
    const { peer, sender } = await dial();
    const pending = sender.sendRequest(GET);
    await peer.readHead();
    await peer.end();
    await expect(pending).rejects.toMatchObject({
      code: "INCOMPLETE_MESSAGE",
      phase: "head",
      sent: "all",
      responseSeen: false,
      bytesRead: 0,
      bytesWritten: head("GET /").length,
    });
  });

  test.each([
    ["half a head", "HTTP/1.1 20"],
    ["an interim response", answer("102 Processing")],
  ])("%s counts as part of a response", async (_, bytes) => {
    const { peer, sender } = await dial();
    const pending = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(bytes);
    await peer.end();
    await expect(pending).rejects.toMatchObject({ responseSeen: true, bytesRead: bytes.length });
  });

  test("part of a request", async () => {
    const { peer, sender } = await dial();
    async function* body() {
      yield "x";
      await new Promise(() => {});
    }
    const pending = sender.sendRequest({ ...POST, body: body() });
    await peer.readUntil("x\r\n");
    peer.reset();
    await expect(pending).rejects.toMatchObject({ sent: "part", responseSeen: false });
  });

  test("the offset of the fault, counted over the whole connection", async () => {
    const { peer, sender } = await dial();
    const first = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(NO_CONTENT);
    await first;
    const second = sender.sendRequest(GET);
    await peer.readHead();
    const bytes = "HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n";
    await peer.send(bytes);
    await expect(second).rejects.toMatchObject({
      code: "MALFORMED_FIELD",
      phase: "head",
      offset: NO_CONTENT.length + bytes.indexOf(" Header"),
      responseSeen: true,
    });
    await peer.failed();
  });
});
