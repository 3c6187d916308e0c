// application → [testing] → transport: helpers to test a transport, or code that uses one

export type { ByteStream } from "../io/byte-stream.ts";
export { type Clock, ManualClock } from "../io/clock.ts";
export { memoryPair } from "../io/memory-pair.ts";
export {
  type MakePair,
  type TransportCase,
  type TransportSuiteOptions,
  transportSuite,
} from "./transport-suite.ts";
