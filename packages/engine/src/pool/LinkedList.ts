/**
 * A position in a `LinkedList`. It belongs to its value for good, so joining and leaving a list allocates nothing.
 */
export class Link<A> {
  list: LinkedList<A> | undefined = undefined
  previous: this | undefined = undefined
  next: this | undefined = undefined
  constructor(readonly value: A) {}
}

/**
 * A doubly linked list whose links are owned by the values: every operation is O(1), removal from the middle too.
 * That is what lets a waiter that leaves the queue leave no trace (Go #33850 kept them).
 */
export class LinkedList<A, L extends Link<A> = Link<A>> {
  size = 0
  head: L | undefined = undefined
  tail: L | undefined = undefined

  get first(): A | undefined {
    return this.head === undefined ? undefined : this.head.value
  }

  get last(): A | undefined {
    return this.tail === undefined ? undefined : this.tail.value
  }

  pushBack(link: L): void {
    link.list = this
    link.previous = this.tail
    if (this.tail === undefined) this.head = link
    else this.tail.next = link
    this.tail = link
    this.size++
  }

  pushFront(link: L): void {
    link.list = this
    link.next = this.head
    if (this.head === undefined) this.tail = link
    else this.head.previous = link
    this.head = link
    this.size++
  }

  /** Takes the link out; a link that is not in this list stays where it is. */
  remove(link: L): void {
    if (link.list !== this) return
    if (link.previous === undefined) this.head = link.next
    else link.previous.next = link.next
    if (link.next === undefined) this.tail = link.previous
    else link.next.previous = link.previous
    link.list = undefined
    link.previous = undefined
    link.next = undefined
    this.size--
  }

  has(link: L): boolean {
    return link.list === this
  }

  /** Makes the link a member, at the back, or not a member. */
  toggle(link: L, member: boolean): void {
    if (link.list === this) {
      if (!member) this.remove(link)
    } else if (member) {
      this.pushBack(link)
    }
  }

  /** Makes the link a member of this list and no longer of another one. */
  take(link: L): void {
    if (link.list === this) return
    link.list?.remove(link)
    this.pushBack(link)
  }

  moveToFront(link: L): void {
    this.remove(link)
    this.pushFront(link)
  }

  moveToBack(link: L): void {
    this.remove(link)
    this.pushBack(link)
  }

  /** From the front. The value handed out may leave the list while we walk. */
  *[Symbol.iterator](): Generator<A, void> {
    let link = this.head
    while (link !== undefined) {
      const next: L | undefined = link.next
      yield link.value
      link = next
    }
  }
}
