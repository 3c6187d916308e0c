import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { ManualClock } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import {
  closeAfterEach,
  credentials,
  dial,
  ECHO,
  echo,
  peerOn,
  portOf,
  serveHere,
} from "../../src/pairs/listening.ts";
import { closeLater } from "../../src/pairs/loopback.ts";

closeAfterEach();

describe("over TLS", () => {
  const secure = (server: { address: unknown }, options: tls.ConnectionOptions = {}) =>
    tls.connect({
      port: (server.address as net.AddressInfo).port,
      host: "127.0.0.1",
      ca: credentials.cert,
      ...options,
    });

  test("answers, offers http/1.1, and counts connections until they close", async () => {
    const server = await serveHere(echo, { tls: credentials });
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/$/);
    const socket = secure(server, { ALPNProtocols: ["h2", "http/1.1"] });
    const client = await peerOn(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe("http/1.1");
    await client.send(ECHO);
    await client.readHead();
    expect(server.connections).toBe(1);
    const closed = server.close({ upgraded: "abort" });
    await client.readToLast();
    await closed;
    expect(server.connections).toBe(0);
  });

  test("writes on after the client has ended its side", async () => {
    const server = await serveHere(
      async (request) => {
        const { io } = await request.switchTo("late");
        io.resume().on("end", () => io.end("after your end"));
      },
      { tls: credentials },
    );
    const client = await peerOn(secure(server), "secureConnect");
    await client.send(ECHO.replace("echo", "late"));
    await client.readHead();
    await client.end();
    expect(await client.readToEnd()).toBe("after your end");
  });

  test("a certificate from SNICallback and an ALPNCallback of the caller's are used", async () => {
    const context = tls.createSecureContext(credentials);
    const server = await serveHere(echo, {
      tls: { SNICallback: (_, done) => done(null, context), ALPNCallback: () => "own" },
    });
    const socket = secure(server, { servername: "localhost", ALPNProtocols: ["own"] });
    await peerOn(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe("own");
  });

  test.each([
    [
      "a client that does not speak TLS",
      (socket: net.Socket) => socket.write("GET / HTTP/1.1\r\n\r\n"),
    ],
    ["a client that is reset", (socket: net.Socket) => socket.resetAndDestroy()],
  ])("%s is reported, and the server goes on", async (_, act) => {
    let report!: (error: unknown) => void;
    const reported = new Promise<unknown>((resolve) => {
      report = resolve;
    });
    const server = await serveHere(echo, {
      tls: credentials,
      onError: (error, { phase }) => report([phase, error]),
    });
    const socket = net.connect(portOf(server), "127.0.0.1").on("error", () => {});
    closeLater(() => socket.destroy());
    await once(socket, "connect");
    act(socket);
    expect(await reported).toMatchObject(["tls", { code: "TRANSPORT_FAILED" }]);
    await peerOn(secure(server), "secureConnect");
    expect(server.connections).toBe(1);
  });

  test("close() with a TLS handshake that never ends: aborted when the time is over", async () => {
    const clock = new ManualClock();
    const server = await serveHere(echo, { tls: credentials, clock });
    const client = await dial(server);
    // The server has accepted it when it has answered another one.
    await peerOn(secure(server), "secureConnect");
    const closed = server.close({ timeoutMs: 10 });
    expect(server.connections).toBe(2);
    clock.advance(10);
    await client.failed();
    await closed;
  });
});
