import { type ByteStream, ManualClock, memoryPair } from "@upgrade/core/io";
import { type ReverseProxy, type ReverseProxyOptions, reverseProxy } from "@upgrade/proxy";
import type { ServerOptions } from "@upgrade/server";
import { type Served, serve } from "../ends.ts";
import { codeOr } from "../promises.ts";
import { ScriptedPeer } from "../scripted-peer.ts";

/** A scripted client, our reverse proxy, and scripted upstreams, in memory. */
export interface Proxied extends Omit<Served, "peer"> {
  readonly client: ScriptedPeer;
  readonly proxy: ReverseProxy;
  /** What the proxy's `onError` received. */
  readonly failures: string[];
  /** The next upstream that the proxy dials, or has dialed. */
  upstream(): Promise<ScriptedPeer>;
  /** How many the proxy has dialed. */
  readonly dialed: string[];
  /** Another client of the same proxy. */
  another(): Promise<ScriptedPeer>;
}

export async function proxied(
  options: Partial<ReverseProxyOptions> = {},
  serverOptions: ServerOptions<ByteStream> = {},
): Promise<Proxied> {
  const clock = new ManualClock();
  const upstreams: ScriptedPeer[] = [];
  const dialed: string[] = [];
  const failures: string[] = [];
  let wake = (): void => {};
  const proxy = reverseProxy({
    clock,
    dial: (origin) => {
      const [near, far] = memoryPair();
      dialed.push(origin);
      upstreams.push(new ScriptedPeer(far));
      wake();
      return near;
    },
    onError: (error) => failures.push(codeOr(error)),
    ...options,
  });
  const { peer, ...served } = await serve(proxy, { clock, ...serverOptions });
  return {
    ...served,
    ...{ clock, client: peer, proxy, failures, dialed },
    async upstream() {
      while (upstreams.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return upstreams.shift()!;
    },
    another: async () => (await serve(proxy, { clock, ...serverOptions })).peer,
  };
}
