// The NetworkPolicy agent kube-network-policies. This main package differs from the agent's own main
// package in two ways:
//
//   - It reads a kubeconfig, because the sandbox runs the agent next to the kubelet and not in a pod.
//   - It needs no nftables rules, because not every kernel has the `queue` expression of these rules.
//     Instead, iptables rules with the target NFQUEUE send new connections to the agent (see
//     networkPolicyRules in daemons.ts).
//
// The code that decides about a connection is the agent's own code.
//
// The agent accepts packets of a pod that it does not know yet. So the firewall drops the packets of
// addresses in the set of new pods (see new-pods.ts). This program removes an address from the set
// when the agent knows the pod with this address.
package main

import (
	"context"
	"flag"
	"os/exec"
	"os/signal"
	"syscall"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of the kubeconfig")
	node := flag.String("node", "", "name of the node")
	queue := flag.Int("queue", 100, "number of the NFQUEUE that new connections are sent to")
	ipset := flag.String("ipset", "ipset", "path of the program ipset")
	newPods := flag.String("new-pods", "", "ipset with the addresses of new pods")
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
		// NRI stays enabled. If the container runtime has no NRI, the agent logs this once. If NRI were
		// disabled, this version would crash.
		networkpolicy.Config{NodeName: *node, QueueID: *queue},
	)
	if err != nil {
		klog.Fatalf("making the agent: %v", err)
	}
	// The agent reads the informer's store. The informer updates its store before it calls handlers.
	known := func(object any) {
		pod, isPod := object.(*v1.Pod)
		if !isPod || pod.Spec.NodeName != *node || pod.Spec.HostNetwork || pod.Status.PodIP == "" {
			return
		}
		remove := exec.Command(*ipset, "del", "-exist", *newPods, pod.Status.PodIP)
		if output, err := remove.CombinedOutput(); err != nil {
			klog.Errorf("opening the firewall for %s/%s: %v: %s", pod.Namespace, pod.Name, err, output)
		}
	}
	_, err = factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: known,
		UpdateFunc: func(before, after any) {
			if before.(*v1.Pod).Status.PodIP != after.(*v1.Pod).Status.PodIP {
				known(after)
			}
		},
	})
	if err != nil {
		klog.Fatalf("watching pods: %v", err)
	}
	factory.Start(ctx.Done())
	if err := agent.Run(ctx); err != nil {
		klog.Fatalf("running the agent: %v", err)
	}
}
