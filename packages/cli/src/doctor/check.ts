/** Something that is wrong in a project: what, and what to do about it. */
export interface Finding {
  readonly problem: string;
  readonly remedy: string;
}

/** One thing that is looked at. */
export interface Check {
  /** What holds when nothing is found. */
  readonly claim: string;
  readonly find: () => Finding[] | Promise<Finding[]>;
}
