// node:http → [request body] → adopt upgrade: the body of a proposal, as the bytes it was read from

import type http from "node:http";
import type net from "node:net";
import type { Duplex } from "node:stream";
import { LocalProtocolError, RemoteProtocolError } from "@upgrade/core";
import { abortIo } from "@upgrade/core/io";
import { fieldLines } from "./request-head.ts";

/** From version 26 on, node:http reads the body of a proposal; before, it is in `head`. */
export const READS_BODIES = Number.parseInt(process.versions.node, 10) >= 26;

const MAX_BYTES = 1024 * 1024;

/** What node:http has read after the head: a body, and what came after the request. */
export interface ReadOn {
  readonly body: Buffer;
  readonly early: Uint8Array;
}

/** @throws {LocalProtocolError} `INVALID_IO`: someone has read the body. */
export function assertUnread(req: http.IncomingMessage): void {
  if (!READS_BODIES || !req.readableDidRead || !hasBody(req)) return;
  throw new LocalProtocolError("INVALID_IO", "the body of the request in req has been read");
}

/** The body that node:http has read completely. */
export function bodyIn(req: http.IncomingMessage): Buffer {
  const chunks: Buffer[] = [];
  while (req.readableLength > 0) chunks.push(req.read() as Buffer);
  return Buffer.concat(chunks);
}

/**
 * Waits for the rest of a body that node:http reads, and takes the socket back from the stream that
 * stands for it until then.
 *
 * @throws {RemoteProtocolError} `BODY_TOO_LARGE`: it is longer than 1 MiB; the socket is aborted.
 */
export function readToEnd(
  req: http.IncomingMessage,
  socket: net.Socket,
  standIn: Duplex,
): Promise<ReadOn> {
  // It fails with the socket.
  standIn.on("error", () => {});
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = (early: Uint8Array): void => {
      req.off("data", add).off("end", take);
      socket.off("close", gone);
      resolve({ body: Buffer.concat(chunks), early });
    };
    const gone = (): void => end(new Uint8Array());
    const take = (): void => {
      // The stand-in's, which passes on what comes after the body.
      socket.removeAllListeners("data");
      const early = standIn.read() as Buffer | null;
      // As if it had never been read; only its type says that this is not allowed.
      Object.assign(socket, { readableFlowing: null });
      end(early ?? new Uint8Array());
    };
    const add = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= MAX_BYTES) return;
      const error = new RemoteProtocolError("BODY_TOO_LARGE", `more than ${MAX_BYTES} bytes`);
      reject(error);
      abortIo(socket, error);
    };
    socket.on("close", gone);
    req.on("data", add).on("end", take);
  });
}

/** A body in its framing, which node:http has removed. */
export function framed(req: http.IncomingMessage, body: Buffer): readonly Uint8Array[] {
  if (req.headers["transfer-encoding"] === undefined) return [body];
  // RFC 9112 §7.1.
  const last = `0\r\n${fieldLines(req.rawTrailers)}\r\n`;
  if (body.length === 0) return [Buffer.from(last, "latin1")];
  return [
    Buffer.from(`${body.length.toString(16)}\r\n`),
    body,
    Buffer.from(`\r\n${last}`, "latin1"),
  ];
}

function hasBody({ headers }: http.IncomingMessage): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}
