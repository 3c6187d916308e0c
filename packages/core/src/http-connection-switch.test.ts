import { describe, expect, test } from "vitest";
import { bytes, describeEvent, play, text } from "../test/play-input.ts";
import { HttpConnection } from "./index.ts";

describe("L4: a switch needs consent", () => {
  const proposal =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: Chat/1, x\r\n\r\n";

  test("both ends reach the same state, and the bytes after the heads are left", () => {
    const client = new HttpConnection("client");
    const server = new HttpConnection("server");
    server.receiveData(
      client.send({
        type: "request",
        method: "GET",
        target: "/chat",
        headers: [
          ["Host", "a"],
          ["Connection", "Upgrade"],
          ["Upgrade", "chat/1"],
        ],
      }),
    );
    client.send({ type: "end-of-message" });
    server.receiveData(bytes("early"));
    expect(describeEvent(server.nextEvent())).toContain("request GET /chat");
    expect(describeEvent(server.nextEvent())).toBe("end");
    expect(server.nextEvent()).toBe("paused");
    client.receiveData(
      server.send({
        type: "response",
        status: 101,
        headers: [
          ["Connection", "Upgrade"],
          ["Upgrade", "CHAT/1"],
        ],
      }),
    );
    client.receiveData(bytes("first"));
    expect(describeEvent(client.nextEvent())).toBe("response 101 Switching Protocols");
    expect(client.nextEvent()).toBe("paused");
    expect(client.states).toEqual({ client: "switched-protocol", server: "switched-protocol" });
    expect(server.states).toEqual(client.states);
    expect(text(server.takeReadBuf())).toBe("early");
    expect(text(client.takeReadBuf())).toBe("first");
  });

  test("a protocol that was not offered is not switched to, and the server may still answer", () => {
    const server = new HttpConnection("server");
    play(server, proposal);
    expect(() =>
      server.send({
        type: "response",
        status: 101,
        headers: [
          ["Connection", "Upgrade"],
          ["Upgrade", "tls"],
        ],
      }),
    ).toThrow(expect.objectContaining({ code: "NOT_OFFERED" }));
    expect(text(server.send({ type: "response", status: 403, bodyLength: 0 }))).toContain("403");
  });
});
