// Where a row is played: servers in this process, proxies beside it, and all of it closed afterwards.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { fileURLToPath } from "node:url";
import { handshake } from "@upgrade/client";
import { open, serve } from "@upgrade/node";
import { endToEnd, Headers, type Service } from "@upgrade/server";
import { type EndOptions, endOf } from "../src/serve/end.ts";
import type { Started } from "./programs.ts";

const KEYS = new URL("../keys/", import.meta.url);

export class Stage {
  /** The folder of the certificates. */
  readonly #keys: URL;
  readonly #closers: (() => unknown)[] = [];

  constructor(keys: URL = KEYS) {
    this.#keys = keys;
  }

  fileOf(name: string): string {
    return fileURLToPath(new URL(`${name}.pem`, this.#keys));
  }

  /** For a server: one of the certificates, and its key. */
  certificate(name: string) {
    return {
      cert: readFileSync(this.fileOf(`${name}.cert`), "utf8"),
      key: readFileSync(this.fileOf("key"), "utf8"),
    };
  }

  /** An end of ours, which speaks WebSocket and echoes. */
  end(options: Partial<EndOptions> = {}): Promise<number> {
    const all = { protocols: ["websocket"], subprotocols: [], isEcho: true, ...options };
    return this.listen(endOf(all));
  }

  async listen(server: net.Server): Promise<number> {
    const sockets = new Set<net.Socket>();
    server.on("connection", (socket: net.Socket) => {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    this.#closers.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return (server.address() as net.AddressInfo).port;
  }

  /** Answers every request with this service. */
  async service(service: Service<net.Socket>): Promise<number> {
    const server = await serve(service, { host: "127.0.0.1" });
    this.#closers.push(() => server.close({ timeoutMs: 1, upgraded: "abort" }));
    return (server.address as net.AddressInfo).port;
  }

  /** A reverse proxy that relays what is end-to-end, and so no Upgrade. */
  strippingProxy(target: number): Promise<number> {
    return this.service(async ({ method, target: path, headers, body, signal }) => {
      const origin = await open(`http://127.0.0.1:${target}`, { proxy: false, signal });
      const { sender } = await handshake(origin, { maxRequests: 1 });
      const request = { method, target: path, headers: endToEnd(headers), body };
      const response = await sender.sendRequest(request, { signal });
      // A 426 must have Upgrade, which this proxy relays in answers.
      const kept = endToEnd(response.headers, ["websocket"]);
      const answer = Headers.from([...kept, ["Via", "1.1 edge"]]);
      return { status: response.status, headers: answer, body: response.body };
    });
  }

  async program(starting: Promise<Started>): Promise<number> {
    const { port, stop } = await starting;
    this.#closers.push(stop);
    return port;
  }

  /** A port without a listener. */
  async closedPort(): Promise<number> {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}
