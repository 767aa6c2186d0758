// What a step through the input returns where it cannot return the index that it has come to.

/** All of the input has been taken, and what was being read has not ended. */
export const More = -1

/** What was read is invalid; who read it knows why. */
export const Failed = -2
