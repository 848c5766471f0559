// A queue of pages, first in first out, linked through the pages: pageout keeps two of them.

import { assert } from "../base/assert.ts";
import type { Page } from "./page.ts";

export class PageQueue {
  first: Page | null = null;
  private last: Page | null = null;
  length = 0;

  append(page: Page): void {
    assert(page.queue === null, "a page is on one queue");
    page.queue = this;
    page.previous = this.last;
    page.next = null;
    if (this.last === null) this.first = page;
    else this.last.next = page;
    this.last = page;
    this.length += 1;
  }

  remove(page: Page): void {
    assert(page.queue === this, "the page is on this queue");
    if (page.previous === null) this.first = page.next;
    else page.previous.next = page.next;
    if (page.next === null) this.last = page.previous;
    else page.next.previous = page.previous;
    page.queue = null;
    page.next = null;
    page.previous = null;
    this.length -= 1;
  }
}
