// Exports of ws that are missing from @types/ws: its compression and its framing.

import "ws";

declare module "ws" {
  export const PerMessageDeflate: abstract new (...given: never[]) => object;

  export const Sender: {
    frame(
      data: Buffer,
      options: {
        readonly fin: boolean;
        readonly opcode: number;
        readonly mask: boolean;
        readonly readOnly: boolean;
        readonly rsv1: boolean;
      },
    ): Buffer[];
  };
}
