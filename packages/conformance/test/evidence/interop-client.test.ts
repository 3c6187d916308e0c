import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import { handshake as connectTo, connect as tunnel, upgrade } from "@upgrade/client";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { closeAll, closeLater, open, portOf, textOf } from "../../src/pairs/loopback.ts";

afterEach(closeAll);

describe("our client and node:http's server", () => {
  const nodeServer = (handler: http.RequestListener) => http.createServer(handler);

  test("keep-alive, lengths, chunked both ways, trailers", async () => {
    const node = nodeServer((request, response) => {
      void textOf(request).then((body) => {
        if (request.url === "/length") response.setHeader("Content-Length", body.length);
        else response.setHeader("Trailer", "X-Sum");
        response.write(body);
        if (request.url !== "/length") response.addTrailers({ "X-Sum": String(body.length) });
        response.end();
      });
    });
    let connections = 0;
    node.on("connection", () => connections++);
    const port = await portOf(node);
    const { sender, connection } = await connectTo(open(port));
    const headers = { Host: `127.0.0.1:${port}` };
    async function* pieces() {
      yield "pie";
      yield "ces";
    }
    for (const body of ["whole", pieces()]) {
      const first = await sender.sendRequest({ method: "POST", target: "/length", headers, body });
      expect(await first.body.text()).toMatch(/^(whole|pieces)$/);
    }
    const second = await sender.sendRequest({
      method: "POST",
      target: "/chunked",
      headers,
      body: "abc",
    });
    expect([second.headers.get("transfer-encoding"), await second.body.text()]).toEqual([
      "chunked",
      "abc",
    ]);
    expect((await second.trailers).get("x-sum")).toBe("3");
    expect(connections).toBe(1);
    await connection.close();
  });

  test("Expect: 100-continue, granted and refused; 103", async () => {
    const node = nodeServer((request, response) => {
      void textOf(request).then((body) => response.end(body));
    });
    node.on("checkContinue", (request, response) => {
      if (request.url === "/no") {
        response.writeHead(417, { Connection: "close" }).end();
        return;
      }
      response.writeEarlyHints({ link: "</a.css>; rel=preload" });
      response.writeContinue();
      void textOf(request).then((body) => response.end(body));
    });
    const port = await portOf(node);
    const headers = { Host: `127.0.0.1:${port}`, Expect: "100-continue" };
    const { sender } = await connectTo(open(port), { continueMs: 0 });
    const seen: number[] = [];
    const granted = await sender.sendRequest(
      { method: "POST", target: "/yes", headers, body: "body" },
      { onInterim: ({ status }) => seen.push(status) },
    );
    expect([await granted.body.text(), seen]).toEqual(["body", [103, 100]]);
    const refused = await sender.sendRequest({ method: "POST", target: "/no", headers, body: "x" });
    expect(refused.status).toBe(417);
    expect(sender.isClosed).toBe(true);
  });

  test("the upgrade event: bytes both ways, the first with the head", async () => {
    const node = nodeServer((_, response) => response.end());
    node.on("upgrade", (_, socket) => {
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello",
      );
      socket.pipe(socket);
    });
    const port = await portOf(node);
    const socket = open(port);
    const headers = { Host: `127.0.0.1:${port}` };
    const result = await upgrade(socket, { target: "/", protocol: "echo", headers });
    expect(result).toMatchObject({ switched: true, protocol: "echo" });
    if (!result.switched) return;
    expect(result.io).toBe(socket);
    socket.end(" and bye");
    expect(Buffer.from(result.readBuf).toString() + (await textOf(socket))).toBe("hello and bye");
  });

  test("CONNECT: a tunnel, and a refusal", async () => {
    const node = nodeServer((_, response) => response.end());
    node.on("connect", (request, socket) => {
      if (request.url === "no.test:1") {
        socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno");
        return;
      }
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(socket);
    });
    const port = await portOf(node);
    const accepted = await tunnel(open(port), "yes.test:1");
    expect(accepted.switched).toBe(true);
    if (!accepted.switched) return;
    accepted.io.end("through");
    expect(await textOf(accepted.io)).toBe("through");
    const refused = await tunnel(open(port), "no.test:1");
    expect(refused.switched).toBe(false);
    if (refused.switched) return;
    expect([refused.response.status, await refused.response.body.text()]).toEqual([407, "no"]);
  });

  test("ws: a handshake, and a message in frames", async () => {
    const wss = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    closeLater(() => wss.close());
    await once(wss, "listening");
    wss.on("connection", (ws) => ws.on("message", (data) => ws.send(`echo ${String(data)}`)));
    const { port } = wss.address() as net.AddressInfo;
    const headers = [
      ["Host", `127.0.0.1:${port}`],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ] as const;
    const result = await upgrade(open(port), { target: "/", protocol: "websocket", headers });
    if (!result.switched) throw new Error(`refused with ${result.response.status}`);
    expect(result.response.headers.get("sec-websocket-accept")).toBe(
      "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    );
    // A masked text frame, with a mask of zeros.
    result.io.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, ...Buffer.from("hi")]));
    const [frame] = (await once(result.io, "data")) as [Buffer];
    expect(frame.subarray(2).toString()).toBe("echo hi");
    result.io.destroy();
  });
});
