import { MessageChannel } from "node:worker_threads";
import { type ByteStream, type PortStreamOptions, portStream } from "@upgrade/core/io";

const streams: ByteStream[] = [];

/** Two ends of one channel. */
export function portPair(options: PortStreamOptions = {}): [ByteStream, ByteStream] {
  const { port1, port2 } = new MessageChannel();
  return [track(portStream(port1, options)), track(portStream(port2, options))];
}

/** Aborts the stream in {@link abortPorts}. */
export function track(stream: ByteStream): ByteStream {
  streams.push(stream);
  return stream;
}

/** Aborts every stream that was made here or tracked. */
export function abortPorts(): void {
  for (const stream of streams.splice(0)) stream.abort("the test is over");
}
