import type { CardFault } from "./skill-card.ts";

const maxFaults = 100;
const maxDetail = 300;
const maxField = 16_384;
const maxItems = 1_000;

/** Faults of one file of a skill: at most a hundred, enough to refuse it. */
export class FaultList {
  readonly path: string;
  readonly #faults: CardFault[] = [];

  constructor(path: string) {
    this.path = path;
  }

  get all(): readonly CardFault[] {
    return this.#faults;
  }

  add(detail: string, field?: string): void {
    if (this.#faults.length >= maxFaults) return;
    const fault = { path: this.path, detail: detail.slice(0, maxDetail).toWellFormed() };
    this.#faults.push(
      field === undefined ? fault : { ...fault, field: field.slice(0, maxDetail).toWellFormed() },
    );
  }

  /** Cuts the text to the length of a field, 16,384 characters; a longer one is a fault. */
  bounded(text: string, field: string): string {
    if (text.length <= maxField) return text;
    this.add(`longer than ${maxField} characters; shorten it`, field);
    return text.slice(0, maxField).toWellFormed();
  }

  /**
   * Cuts a list to 1,000 items, and each item to one character above its limit: the excess is a fault, and stays
   * visible.
   */
  boundedList(items: readonly string[], field: string, maxCharacters = maxField): readonly string[] {
    if (items.length > maxItems) this.add(`more than ${maxItems} entries; shorten the list`, field);
    const long = items.find((item) => item.length > maxCharacters);
    if (long !== undefined)
      this.add(`an entry is longer than ${maxCharacters} characters; shorten it`, field);
    return items.slice(0, maxItems).map((item) => item.slice(0, maxCharacters + 1).toWellFormed());
  }
}
