import {
  ConnectionError,
  type Event,
  Headers,
  HttpConnection,
  type UpgradeError,
} from "@upgrade/core";
import { describe, expect, test } from "vitest";
import { GET, head } from "../../src/messages.ts";

// What an error says, and what it must not: messages end up in logs, and a value may be a secret.

function caught(act: () => unknown): UpgradeError {
  try {
    act();
  } catch (error) {
    return error as UpgradeError;
  }
  throw new Error("nothing was thrown");
}

/** Reads until the input or a fault ends it. */
function drain(connection: HttpConnection): void {
  let event: Event | string;
  do event = connection.nextEvent();
  while (typeof event !== "string" && event.type !== "connection-closed");
}

/** The server's error for a client's bytes. */
function received(text: string): UpgradeError {
  const server = new HttpConnection("server");
  server.receiveData(Buffer.from(text, "latin1"));
  return caught(() => drain(server));
}

function asking(headers: Record<string, string> = {}): HttpConnection {
  const client = new HttpConnection("client");
  client.send({ type: "request", ...GET, headers: { ...GET.headers, ...headers } });
  client.send({ type: "end-of-message" });
  return client;
}

/** The client's error for a server's bytes. */
function answered(text: string, headers?: Record<string, string>): UpgradeError {
  const client = asking(headers);
  client.receiveData(Buffer.from(text, "latin1"));
  return caught(() => drain(client));
}

describe("L16: no error quotes a possible secret", () => {
  test.each([
    [
      "a field with a line feed",
      head("GET /", "Authorization: Bearer secret\nx"),
      "MALFORMED_FIELD",
    ],
    ["a name with a secret in it", head("GET /", "secret token"), "MALFORMED_FIELD"],
    ["a host", head("GET /").replace("a.test", "secret/"), "BAD_HOST"],
    ["two hosts", head("GET /", "Host: secret"), "BAD_HOST"],
    ["a length", head("GET /", "Content-Length: secret"), "BAD_CONTENT_LENGTH"],
    [
      "two lengths",
      head("GET /", "Content-Length: 9", "Content-Length: secret"),
      "BAD_CONTENT_LENGTH",
    ],
    ["a coding", head("GET /", "Transfer-Encoding: secret"), "UNKNOWN_TRANSFER_CODING"],
    [
      "a list of codings",
      head("GET /", "Transfer-Encoding: chunked, secret"),
      "BAD_TRANSFER_ENCODING",
    ],
    ["an expectation", head("GET /", "Expect: secret"), "UNKNOWN_EXPECTATION"],
    ["a query", head("GET /?secret#"), "MALFORMED_TARGET"],
    ["a method", head("secret /"), "UNKNOWN_METHOD"],
    [
      "a trailer",
      `${head("POST /", "Transfer-Encoding: chunked")}0\r\nSignature: secret\0\r\n\r\n`,
      "MALFORMED_TRAILER",
    ],
  ])("of a request that is received: %s", (_, text, code) => {
    const error = received(text);
    expect(error.code).toBe(code);
    expect(error.message).not.toContain("secret");
  });

  test.each([
    ["a field", "HTTP/1.1 200 OK\r\nSet-Cookie: secret\0\r\n\r\n", "MALFORMED_FIELD"],
    ["a reason", "HTTP/1.1 200 secret\0\r\n\r\n", "MALFORMED_START_LINE"],
    ["a length", "HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\n", "BAD_CONTENT_LENGTH"],
    [
      "a protocol",
      "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: secret\r\n\r\n",
      "UNEXPECTED_SWITCH",
    ],
  ])("of a response that is received: %s", (_, text, code) => {
    const error = answered(text);
    expect(error.code).toBe(code);
    expect(error.message).not.toContain("secret");
  });

  test.each<[string, object, string]>([
    ["a value", { headers: { Host: "a", Authorization: "secret\n" } }, "INVALID_HEADER"],
    ["a name", { headers: { Host: "a", "Authorization: secret": "" } }, "INVALID_HEADER"],
    ["a host", { headers: { Host: "secret/" } }, "INVALID_HOST"],
    ["a query", { target: "/?secret#" }, "INVALID_TARGET"],
    ["a method", { method: "secret " }, "INVALID_METHOD"],
    ["a length", { headers: { Host: "a", "Content-Length": "secret" } }, "INVALID_FRAMING"],
    ["a coding", { headers: { Host: "a", "Transfer-Encoding": "secret" } }, "INVALID_FRAMING"],
    [
      "a protocol",
      { headers: { Host: "a", Connection: "Upgrade", Upgrade: "se cret" } },
      "INVALID_UPGRADE",
    ],
  ])("of a request that is sent: %s", (_, part, code) => {
    const client = new HttpConnection("client");
    const error = caught(() => client.send({ type: "request", ...GET, ...part }));
    expect(error.code).toBe(code);
    expect(error.message).not.toMatch(/se ?cret/);
  });

  test.each<[string, object, string]>([
    ["a value", { headers: { "Set-Cookie": "secret\r\n" } }, "INVALID_HEADER"],
    ["a reason", { reason: "secret\n" }, "INVALID_REASON"],
    ["a date", { date: "secret\n" }, "INVALID_HEADER"],
    ["a status", { status: "secret" }, "INVALID_STATUS"],
  ])("of a response that is sent: %s", (_, part, code) => {
    const server = new HttpConnection("server");
    server.receiveData(Buffer.from(head("GET /")));
    drain(server);
    const error = caught(() => server.send({ type: "response", status: 200, ...part }));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain("secret");
  });
});

test.each<[string, object]>([
  ["a limit", { maxHeaders: "secret" }],
  ["the options", "secret" as unknown as object],
])("L16: no error quotes an invalid option value: %s", (_, options) => {
  const error = caught(() => new HttpConnection("client", options));
  expect(error.code).toBe("INVALID_OPTION");
  expect(error.message).toContain("a string");
  expect(error.message).not.toContain("secret");
});

describe("L16: an error names the field and what is wrong with it:", () => {
  test.each<[string, () => unknown, string]>([
    [
      "a value",
      () => Headers.from({ Authorization: "Bearer abc\n" }),
      "Authorization has the octet 0x0a at 10",
    ],
    [
      "a name",
      () =>
        Headers.from([
          ["A", ""],
          ["B:", ""],
        ]),
      "the name of field 2 has the octet 0x3a at 1",
    ],
    [
      "a character beyond latin-1",
      () => Headers.from({ A: "x\u20ac" }),
      "A has the character U+20ac at 1",
    ],
    ["white space", () => Headers.from({ A: " x" }), "A has white space around it"],
  ])("%s", (_, act, says) => {
    expect(caught(act).message).toContain(says);
  });

  test("a length that is not a number", () => {
    const fault = (value: string) => received(head("GET /", `Content-Length: ${value}`)).message;
    expect(fault("1a")).toContain("the octet 0x61 at 1");
    expect(fault("1 2")).toContain("the octet 0x32 at 2");
    expect(fault("9007199254740992")).toContain("it is too large");
    expect(fault("")).toContain("is empty");
    expect(fault("5\r\nContent-Length: 5")).toContain("a second line");
  });

  test("what a 101 lacks", () => {
    const offer = { Connection: "Upgrade", Upgrade: "a" };
    const fault = (lines: string) => answered(`HTTP/1.1 101 S\r\n${lines}\r\n`, offer).message;
    expect(fault("Connection: Upgrade\r\n")).toContain("it has no Upgrade");
    expect(fault("Upgrade: a\r\n")).toContain("does not have the option upgrade");
    expect(fault("Connection: Upgrade\r\nUpgrade: b\r\n")).toContain("no offered protocol");
    expect(answered("HTTP/1.0 101 S\r\n\r\n", offer).message).toContain("HTTP/1.0");
  });
});

describe("L16: an early end says how much had arrived:", () => {
  test.each([
    ["nothing", "", "the peer closed it without sending a response"],
    [
      "an interim response",
      "HTTP/1.1 103 E\r\n\r\n",
      "the peer closed it after only interim responses",
    ],
    ["half a head", "HTTP/1.1 200", "the peer closed it in the middle of a head"],
    [
      "half a body",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
      "the peer closed it in the middle of a body",
    ],
  ])("%s", (_, text, says) => {
    const client = asking();
    if (text !== "") client.receiveData(Buffer.from(text));
    client.receiveEof();
    const error = caught(() => drain(client));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.code).toBe("INCOMPLETE_MESSAGE");
    expect(error.message).toContain(says);
  });
});

test("L16: a greeting before a request names the protocol it resembles", () => {
  const client = new HttpConnection("client");
  client.receiveData(Buffer.from("220 mail.test ESMTP\r\n"));
  const error = caught(() => drain(client));
  expect(error).toMatchObject({ code: "UNEXPECTED_DATA", offset: 0 });
  expect(error.message).toContain("it looks like the greeting of SMTP or FTP");
});
