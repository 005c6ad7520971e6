// The NetworkPolicy agent kube-network-policies with two differences from its own main package: it reads a kubeconfig,
// because the sandbox runs it beside the kubelet and not in a pod, and it needs no rule of nftables, because not every
// kernel has the `queue` expression that its rules use. The sandbox sends it new connections by iptables' NFQUEUE target
// (see networkPolicyRules in daemons.ts); what the agent decides, and how, is its own.
package main

import (
	"context"
	"flag"
	"os/signal"
	"syscall"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of the kubeconfig")
	node := flag.String("node", "", "name of the node")
	queue := flag.Int("queue", 100, "number of the NFQUEUE that new connections are sent to")
	flag.Parse()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		klog.Fatalf("reading %s: %v", *kubeconfig, err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		klog.Fatalf("making a client: %v", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	factory := informers.NewSharedInformerFactory(client, 0)
	agent, err := networkpolicy.NewController(
		client,
		factory.Networking().V1().NetworkPolicies(),
		factory.Core().V1().Namespaces(),
		factory.Core().V1().Pods(),
		nil, nil, nil, nil,
		// NRI stays enabled: where the runtime has none, that is logged once. Disabling it crashes this version.
		networkpolicy.Config{NodeName: *node, QueueID: *queue},
	)
	if err != nil {
		klog.Fatalf("making the agent: %v", err)
	}
	factory.Start(ctx.Done())
	if err := agent.Run(ctx); err != nil {
		klog.Fatalf("running the agent: %v", err)
	}
}
