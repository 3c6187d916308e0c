// The parts of the platforms that are used here, and for which no types are installed.
declare module "cloudflare:sockets" {
  export function connect(
    address: { hostname: string; port: number },
    options: { allowHalfOpen: boolean },
  ): import("@upgrade/core/io").WebPair & { readonly opened: Promise<unknown> };
}
