// Exports of ws that are missing from @types/ws: parts of its handshake, and its framing.

import "ws";

declare module "ws" {
  /** Parsed parameters: a list of values per name. */
  export type ParsedParams = Record<string, (string | true)[]>;
  /** Negotiated parameters. */
  export type AgreedParams = Record<string, string | number | true>;

  export class PerMessageDeflate {
    static readonly extensionName: "permessage-deflate";
    constructor(options: {
      readonly isServer: boolean;
      readonly maxPayload: number;
      readonly serverNoContextTakeover?: boolean;
      readonly clientNoContextTakeover?: boolean;
    });
    readonly params: AgreedParams | null;
    offer(): AgreedParams;
    accept(configurations: readonly ParsedParams[]): AgreedParams;
    cleanup(): void;
  }

  export const extension: {
    parse(header: string): Record<string, ParsedParams[]>;
    format(extensions: Record<string, AgreedParams | AgreedParams[]>): string;
  };

  export const subprotocol: { parse(header: string): Set<string> };

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
