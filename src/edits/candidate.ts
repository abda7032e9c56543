import type { Scope } from '../scopes/scope';
import type { TextEdit } from './history';

/** How an edit came to be proposed: a declared name was renamed; or one edit is to be made again elsewhere. */
export type Kind = 'rename' | 'repeat';

/** What is known of a text beside its characters. */
export interface SyntaxReading {
  /** What a place is part of; undefined where it is not known. */
  scope(offset: number): Scope | undefined;
  /**
   * Where a name still stands that was renamed where it is declared: offsets, in order; undefined where the place
   * declares no name whose uses are known.
   * @param at where the new name stands
   */
  staleNames?(at: number, oldName: string, newName: string): number[] | undefined;
  /** Whether a declaration of a name can be seen at a place; undefined where it cannot be said. */
  declared?(name: string, at: number): boolean | undefined;
}

/** An open document in which edits are looked for. */
export interface OpenText {
  readonly uri: string;
  readonly text: string;
  readonly reading: SyntaxReading;
}

/** An edit that may be the next: `oldText` stands at `start` now. */
export interface EditCandidate extends TextEdit {
  readonly uri: string;
  readonly kind: Kind;
  /** The edit that it follows from. */
  readonly source: TextEdit & { readonly uri: string };
  readonly facts: Facts;
}

/** What is known of a candidate. */
export interface Facts {
  readonly kind: Kind;
  /** Equal tokens next to the edit and next to the place, to the left and to the right: at most `MAX_TOKENS`. */
  readonly left: number;
  readonly right: number;
  /** Whether the whole line is the same as the one that was edited. */
  readonly sameLine: boolean;
  /** How often the same edit has been made. */
  readonly made: number;
  /** Characters of the old text, and of the new. */
  readonly oldLength: number;
  readonly newLength: number;
  /** Places at which the old text stands like this. */
  readonly places: number;
  /** Of these, such as lie between places where the edit was made. */
  readonly skipped: number;
  /** Whether the edit only inserts, or only deletes; and whether there is no letter or digit in it. */
  readonly inserts: boolean;
  readonly deletes: boolean;
  readonly wordless: boolean;
  /** Lines between the edit and the place; 0 in another file. */
  readonly lines: number;
  readonly otherFile: boolean;
  /** Whether one name takes the place of another. */
  readonly names: boolean;
  /** Whether nothing declares the old name at the place any more, though something declares the new one. */
  readonly orphaned: boolean;
  /** Whether something still declares the old name at the place. */
  readonly declared: boolean;
}

export const MAX_TOKENS = 6;
