import type { Failure } from '../measure/failure.js';
import {
  REPLICA_MOVED,
  REPLICA_MOVES,
  REPLICA_OPENED,
  REPLICA_SESSIONS,
  REPLICA_UNKNOWN_SESSIONS,
} from '../measure/series.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { Scheduler } from './scheduler.js';

/** Counts what happens to the sessions of one slot, each event in the stage in which it happens. */
export class SessionCounters {
  readonly affinity: ReplicaAffinity;
  /** Stage in which this session was last counted as answered. */
  private answeredIn = -1;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly profile: ProfileRuntime,
  ) {
    this.affinity = new ReplicaAffinity(scheduler, profile);
  }

  /** The session has answered at least one operation correctly. */
  get everAnswered(): boolean {
    return this.answeredIn >= 0;
  }

  opened(connectMs: number): void {
    this.answeredIn = -1;
    this.scheduler.recorder.recordOpened(this.group, connectMs);
  }

  refused(failure: Failure): void {
    this.scheduler.recorder.recordOpenFailed(this.group, failure, this.scheduler.nowMs, {
      profile: this.profile.plan.name,
      operation: 'connect',
    });
  }

  /** Called for every correct answer. A session counts once in each stage, which costs a comparison. */
  answered(): void {
    const { recorder, stage } = this.scheduler;
    if (stage === this.answeredIn) return;
    this.answeredIn = stage;
    recorder.sessionRow(this.group).sessionsAnswered++;
  }

  closed(): void {
    this.scheduler.recorder.sessionRow(this.group).sessionsClosed++;
  }

  lost(): void {
    this.scheduler.recorder.sessionRow(this.group).sessionsLost++;
    this.affinity.unknown();
  }

  private get group(): number {
    return this.scheduler.layout.group(this.scheduler.stage, this.profile.index);
  }
}

/**
 * Follows which replica answers a session, and so whether the session moves. Counts in the stage in which it happens: a
 * session that lives through several stages counts once in each.
 */
class ReplicaAffinity {
  /** 0: not known. */
  private replica = 0;
  private stage = -1;
  private movedIn = -1;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly profile: ProfileRuntime,
  ) {}

  /** A new session begins, not answered yet. */
  begin(): void {
    this.replica = 0;
    this.stage = -1;
    this.movedIn = -1;
  }

  /** Called for every answer; nearly always by the same replica in the same stage, which costs two comparisons. */
  answered(replica: number): void {
    if (replica === this.replica && this.scheduler.stage === this.stage) return;
    if (replica > 0) this.follow(replica);
  }

  /** The replica that answered last does not know the session. */
  unknown(): void {
    if (this.replica > 0) this.count(this.replica, REPLICA_UNKNOWN_SESSIONS);
  }

  private follow(replica: number): void {
    const { stage } = this.scheduler;
    const before = this.replica;
    this.replica = replica;
    if (stage !== this.stage) this.count(replica, REPLICA_SESSIONS);
    this.stage = stage;
    if (before === 0) this.count(replica, REPLICA_OPENED);
    if (before === 0 || before === replica) return;
    this.count(replica, REPLICA_MOVES);
    if (this.movedIn !== stage) this.count(replica, REPLICA_MOVED);
    this.movedIn = stage;
  }

  private count(replica: number, column: number): void {
    const { layout, recorder, stage } = this.scheduler;
    recorder.replicas.count(layout.group(stage, this.profile.index), replica, column);
  }
}
