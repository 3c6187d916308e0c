// The protocol of docs/guides/your-own-protocol.md, taken from its text when the suite is built.
declare module "guide:lines" {
  export const lines: (longest: number) => import("@upgrade/core").Protocol<number>;
}
