import type { Failure } from '../measure/failure.js';
import type { Floor } from './floor.js';
import type { ProfileRuntime } from './profile-runtime.js';
import { SessionTrail } from './session-trail.js';

/** Counts what becomes of a profile's sessions, in the stage in which it happens. */
export class SessionBook {
  readonly trail: SessionTrail;
  /** Stage in which this session was last counted as answered. */
  private answeredIn = -1;

  constructor(
    private readonly floor: Floor,
    private readonly profile: ProfileRuntime,
  ) {
    this.trail = new SessionTrail(floor, profile);
  }

  /** The session has answered something correctly. */
  get fruitful(): boolean {
    return this.answeredIn >= 0;
  }

  opened(connectMs: number): void {
    this.answeredIn = -1;
    this.floor.recorder.opened(this.group, connectMs);
  }

  refused(failure: Failure): void {
    this.floor.recorder.openFailed(this.group, failure, this.floor.nowMs, {
      profile: this.profile.plan.name,
      operation: 'connect',
    });
  }

  /** Of every correct answer to an operation: a session is counted once in each stage, which costs a comparison. */
  answered(): void {
    const { recorder, stage } = this.floor;
    if (stage === this.answeredIn) return;
    this.answeredIn = stage;
    recorder.session(this.group).sessionsAnswered++;
  }

  closed(): void {
    this.floor.recorder.session(this.group).sessionsClosed++;
  }

  lost(): void {
    this.floor.recorder.session(this.group).sessionsLost++;
    this.trail.unknown();
  }

  private get group(): number {
    return this.floor.layout.group(this.floor.stage, this.profile.index);
  }
}
