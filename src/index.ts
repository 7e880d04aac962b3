export { ADAPTATIONS, type AdaptationName } from './core/adaptation.js';
export { type Attrs, DEFAULT_ATTRS } from './core/attrs.js';
export type { DeliveredRows } from './core/delivered.js';
export { type ErrorCode, PagepulseError } from './core/errors.js';
export { NOT_ASKED } from './core/evidence/columns.js';
export { Answer, Residence, type Samples } from './core/sampling.js';
export { type Region, Snapshot, type SnapshotHeader, type WorkingSet } from './core/snapshot.js';
export type { SnapshotColumns } from './core/snapshot-columns.js';
export type { AttrsChange, AttrsInForce, AttrsReason, MonitorStats, ThreadCost } from './core/stats.js';
export { TargetStatus } from './core/table-header.js';
export type { CheckName, OtherWatcher, TargetInfo } from './core/target.js';
export { DEFAULT_GOAL, type TuningGoal, type TuningStep } from './core/tuning.js';
export { Monitor, type MonitorEvents } from './engine/monitor.js';
export type { MonitorOptions } from './engine/options.js';
export type { ClockName, CostScope, DetachReason, EndReason, MonitorEnd } from './engine/protocol.js';
export type { Support } from './kernel/support.js';
export type { SelectionStats, SkipReason } from './processes/follower.js';
export type { AddressRange, ProcessRequest } from './processes/process-request.js';
export type { Run, Selection } from './processes/selection.js';
export { SharingSurvey, surveySharing } from './processes/sharing/survey.js';
export type {
  SharingMethod,
  SharingOptions,
  SharingPace,
  SharingResult,
  SharingTarget,
  TargetSharing,
} from './processes/sharing/types.js';
export { ProcessSpace } from './sources/process-space.js';
export type {
  AddressSpace,
  CoverName,
  OpenTarget,
  PageCheck,
  RegionSource,
  Source,
  SourceDescriptor,
  TargetIdentity,
  TargetRequest,
} from './sources/source.js';
export type {
  SyntheticAccess,
  SyntheticPhase,
  SyntheticRange,
  SyntheticSpec,
} from './sources/synthetic/spec.js';
