// Sockets on loopback, the same kind for every contestant.

import { connect, createServer, type Server, type Socket } from "node:net";

const HOST = "127.0.0.1";

/** Disables Nagle's algorithm, as node:http does. */
const OPTIONS = { noDelay: true };

/** Listens on a free port and returns it. */
export function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen({ port: 0, host: HOST, backlog: 8_192 }, () => {
      const address = server.address();
      resolve(typeof address === "object" ? (address?.port ?? 0) : 0);
    });
  });
}

/** A bare TCP server. */
export function serveSockets(onSocket: (socket: Socket) => void): Promise<number> {
  return listen(createServer(OPTIONS, onSocket));
}

/** A connected socket. */
export function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: HOST, ...OPTIONS }, () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

/** Sockets that read into one shared buffer: the cheapest way to count bytes in Node. */
export function dialCounting(port: number, onBytes: (bytes: Buffer) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const callback = (length: number, buffer: Uint8Array): boolean => {
      onBytes((buffer as Buffer).subarray(0, length));
      return true;
    };
    const onread = { buffer: Buffer.alloc(65_536), callback };
    const socket = connect({ port, host: HOST, ...OPTIONS, onread }, () => resolve(socket));
    socket.once("error", reject);
  });
}
