module k8slab/crds/oldest

go 1.26.0

require (
	github.com/aws/karpenter-provider-aws v1.0.8
	github.com/kubernetes-csi/external-snapshotter/client/v8 v8.0.0
	github.com/openshift/api v0.0.0-20240527133614-ba11c1587003
	sigs.k8s.io/gateway-api v1.2.1
)
