module k8slab/crds/newest

go 1.26.0

require (
	github.com/aws/karpenter-provider-aws v1.6.3
	github.com/kubernetes-csi/external-snapshotter/client/v8 v8.2.0
	github.com/openshift/api v0.0.0-20260318185450-1f2fa3f09f4e
	github.com/openshift/cluster-autoscaler-operator v0.0.1-0.20260608074635-5c8643284941
	sigs.k8s.io/gateway-api v1.6.3
)
