export interface Word {
  readonly pattern: string;
  readonly instead: string;
  readonly wrong: string;
  readonly right: string;
}
export interface Finding {
  readonly index: number;
  readonly message: string;
}
export const words: readonly Word[];
export function findings(text: string): readonly Finding[];
export function blank(text: string, by?: string): string;
export function withoutCode(text: string): string;
