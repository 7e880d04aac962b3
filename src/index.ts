export type {
  SyntheticAccess,
  SyntheticPhase,
  SyntheticRange,
  SyntheticSpec,
} from './checks/synthetic-spec.js';
export type { AddressRange, ProcessRequest, TargetRequest } from './checks/target-request.js';
export { ADAPTATIONS, type AdaptationName } from './core/adaptation.js';
export { type Attrs, DEFAULT_ATTRS } from './core/attrs.js';
export { type ErrorCode, PagepulseError } from './core/errors.js';
export {
  type Region,
  Snapshot,
  type SnapshotColumns,
  type SnapshotHeader,
  type WorkingSet,
} from './core/snapshot.js';
export type { AttrsChange, AttrsInForce, AttrsReason, MonitorStats, ThreadCost } from './core/stats.js';
export type { CheckName, OtherWatcher, TargetInfo } from './core/target.js';
export { DEFAULT_GOAL, type TuningGoal, type TuningStep } from './core/tuning.js';
export { Monitor, type MonitorEvents } from './engine/monitor.js';
export type { MonitorOptions } from './engine/options.js';
export type { ClockName, CostScope, DetachReason, EndReason, MonitorEnd } from './engine/protocol.js';
export type { SelectionStats, SkipReason } from './selection/follower.js';
export type { Run, Selection } from './selection/selection.js';
export type { SharingPace } from './sharing/schedule.js';
export { type SharingOptions, SharingSurvey, surveySharing } from './sharing/survey.js';
export type { SharingMethod, SharingResult, SharingTarget, TargetSharing } from './sharing/types.js';
