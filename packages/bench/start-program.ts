// The programs whose start is measured: import, one exchange over a stream in memory, one line of
// output.

import { writeSync } from "node:fs";
import { Duplex } from "node:stream";

const REQUEST = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const RESPONSE = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A stream that delivers `input`; `onBytes` gets what is written. */
function memoryStream(
  input: string | undefined,
  onBytes: (text: string, io: Duplex) => void,
): Duplex {
  const io: Duplex = new Duplex({
    read: () => {},
    write(chunk: Buffer, _, done) {
      done();
      onBytes(chunk.toString("latin1"), io);
    },
  });
  if (input !== undefined) io.push(input);
  return io;
}

const servedIo = () => memoryStream(REQUEST, (text) => done(text.startsWith("HTTP/1.1 200 ")));
const askedIo = () => memoryStream(undefined, (_, io) => io.push(RESPONSE));

// Work at exit, such as optimizing code that ran once, is not part of the start.
function done(isRight: boolean): void {
  if (isRight) writeSync(1, "done");
  process.exit(isRight ? 0 : 1);
}

switch (process.argv[2]) {
  case "nothing":
    done(true);
    break;
  case "our-server": {
    const { handshake } = await import("@upgrade/server");
    await handshake(servedIo(), () => ({ status: 200, body: "ok" }));
    break;
  }
  case "node-server": {
    const { createServer } = await import("node:http");
    createServer((_, response) => response.end("ok")).emit("connection", servedIo());
    break;
  }
  case "our-client": {
    const { handshake } = await import("@upgrade/client");
    const { sender } = await handshake(askedIo());
    const headers = { Host: "a.test" };
    done((await sender.sendRequest({ method: "GET", target: "/", headers })).status === 200);
    break;
  }
  case "node-client": {
    const { get } = await import("node:http");
    get({ host: "a.test", createConnection: askedIo }, (response) =>
      done(response.statusCode === 200),
    );
    break;
  }
  default:
    process.exit(2);
}
