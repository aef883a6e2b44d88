import { MOVED, MOVES, OPENED, SESSIONS, UNKNOWN } from '../measure/series.js';
import type { Floor } from './floor.js';
import type { ProfileRuntime } from './profile-runtime.js';

/**
 * Which replica answered a session last, and so whether it moved. Counted in the stage in which it happens: a session
 * that lives through several is counted once in each.
 */
export class SessionTrail {
  /** 0: none that is known. */
  private at = 0;
  private stage = -1;
  private movedIn = -1;

  constructor(
    private readonly floor: Floor,
    private readonly profile: ProfileRuntime,
  ) {}

  /** The next session has not been answered yet. */
  begin(): void {
    this.at = 0;
    this.stage = -1;
    this.movedIn = -1;
  }

  /** Of every answer; nearly always by the same replica in the same stage, which costs two comparisons. */
  answered(replica: number): void {
    if (replica === this.at && this.floor.stage === this.stage) return;
    if (replica > 0) this.follow(replica);
  }

  /** The replica that answered last does not know the session. */
  unknown(): void {
    if (this.at > 0) this.count(this.at, UNKNOWN);
  }

  private follow(replica: number): void {
    const { stage } = this.floor;
    const before = this.at;
    this.at = replica;
    if (stage !== this.stage) this.count(replica, SESSIONS);
    this.stage = stage;
    if (before === 0) this.count(replica, OPENED);
    if (before === 0 || before === replica) return;
    this.count(replica, MOVES);
    if (this.movedIn !== stage) this.count(replica, MOVED);
    this.movedIn = stage;
  }

  private count(replica: number, column: number): void {
    const { layout, recorder, stage } = this.floor;
    recorder.replicas.count(layout.group(stage, this.profile.index), replica, column);
  }
}
