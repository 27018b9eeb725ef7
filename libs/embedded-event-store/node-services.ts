import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';

/** The release of EventStoreDB whose behaviour this is. */
export const serverVersion = '23.10.6';

const methodFeatures: Record<string, string[]> = { Read: ['position', 'events'] };

/** What clients may call. What is not listed is refused by grpc itself, as an unavailable service is: UNIMPLEMENTED. */
export const supportedMethods = (): SupportedMethods => {
  const answer = new features.SupportedMethods();
  answer.setEventStoreServerVersion(serverVersion);
  const services: ServiceDefinition<UntypedServiceImplementation>[] = [
    streamsGrpc.StreamsService,
    gossipGrpc.GossipService,
    featuresGrpc.ServerFeaturesService,
  ];
  for (const { path } of services.flatMap((service) => Object.values(service))) {
    const [, serviceName = '', methodName = ''] = path.split('/');
    const method = new features.SupportedMethod();
    method.setServiceName(serviceName.toLowerCase());
    method.setMethodName(methodName.toLowerCase());
    method.setFeaturesList(methodFeatures[methodName] ?? []);
    answer.addMethods(method);
  }
  return answer;
};

/** A cluster of one, so that `esdb+discover://` finds it. */
export const clusterOfOne = (instanceId: string, endPoint: { host: string; port: number }): ClusterInfo => {
  const member = new gossip.MemberInfo();
  const address = new gossip.EndPoint();
  address.setAddress(endPoint.host);
  address.setPort(endPoint.port);
  const id = new shared.UUID();
  id.setString(instanceId);
  member.setInstanceId(id);
  member.setTimeStamp((BigInt(Date.now()) * 10_000n).toString());
  member.setState(gossip.MemberInfo.VNodeState.LEADER);
  member.setIsAlive(true);
  member.setHttpEndPoint(address);
  const info = new gossip.ClusterInfo();
  info.addMembers(member);
  return info;
};
