export const CORE: string;
export function judgeCoverage(file: string): { readonly says: string; readonly faults: string[] };
