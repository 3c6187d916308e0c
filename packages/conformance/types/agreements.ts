// What two ends agree on is typed on both. Compiled against the sources and the published declarations.
import type { Duplex } from "node:stream";
import { type UpgradeResult, upgrade } from "@upgrade/client";
import type { Protocol } from "@upgrade/core";
import { type Parts, type ServerRequest, type Service, switching } from "@upgrade/server";
import { type WebSocketAgreement, websocket } from "@upgrade/websocket";

declare const io: Duplex;
declare const counting: Protocol<{ readonly from: number }>;
declare const naming: Protocol<string>;

export const service: Service<Duplex> = switching([
  [
    counting,
    (parts, agreement, request) => {
      const seen: Same<typeof agreement, { readonly from: number }> = true;
      const taken: Same<typeof parts, Parts<Duplex>> = true;
      const asked: Same<typeof request, ServerRequest<Duplex>> = true;
      void [seen, taken, asked];
    },
  ],
  [naming, async (_, agreement) => void agreement.toUpperCase()],
  ["plain", (_, agreement) => void (agreement satisfies undefined)],
]);

const one = upgrade(io, { target: "/", protocol: counting });
export const agreed: Same<
  Awaited<typeof one>,
  UpgradeResult<Duplex, { readonly from: number }>
> = true;

const either = upgrade(io, { target: "/", protocol: [counting, naming] });
export const oneOfTwo: Same<
  Awaited<typeof either>,
  UpgradeResult<Duplex, { readonly from: number } | string>
> = true;

const bare = upgrade(io, { target: "/", protocol: "plain" });
export const nothing: Same<Awaited<typeof bare>, UpgradeResult<Duplex, undefined>> = true;

const socket = upgrade(io, { target: "/", protocol: websocket({ subprotocols: ["v1"] }) });
export const webSocket: Same<
  Awaited<typeof socket>,
  UpgradeResult<Duplex, WebSocketAgreement>
> = true;

const mixed = upgrade(io, { target: "/", protocol: [naming, "plain"] });
export const perhaps: Same<Awaited<typeof mixed>, UpgradeResult<Duplex, string | undefined>> = true;
