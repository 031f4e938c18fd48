/** Something the user can put right: printed as it is, without a stack. */
export class Complaint extends Error {
  override name = 'Complaint';
  /** 2 for a wrong command line or configuration, 1 for everything else. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
