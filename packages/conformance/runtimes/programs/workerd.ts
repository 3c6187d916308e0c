// workerd: answers a request with a line of JSON for each case. Its query names the port of connect().

import { memory, messagePorts, transformStreams } from "../adapters/in-memory.ts";
import { sockets } from "../adapters/workerd.ts";
import { runSuite } from "../suite/run.ts";
import { utf8 } from "../suite/wire.ts";

const { to, connect } = sockets();

// biome-ignore lint/style/noDefaultExport: that is where workerd looks for the handlers
export default {
  connect,
  async fetch(request: Request): Promise<Response> {
    const port = Number(new URL(request.url).searchParams.get("port"));
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const report = (result: object) => writer.write(utf8(`${JSON.stringify(result)}\n`));
    const play = async () => {
      await runSuite([to(port)], report, 1);
      await runSuite([memory, transformStreams, messagePorts], report);
      await writer.close();
    };
    void play();
    return new Response(readable);
  },
};
