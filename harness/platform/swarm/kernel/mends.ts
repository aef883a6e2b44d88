/** The command that mends what a kernel or an engine lacks; in the doctor's lines and in the warnings of `up` alike. */
export const MENDS = {
  vxlan: 'sudo modprobe vxlan',
  ipvs: 'sudo modprobe ip_vs; where the kernel has none, `endpoint_mode: dnsrr` and `mode: host` as in swarm/stack.yml',
  netem: 'sudo modprobe sch_netem',
  openFiles: 'dockerd --default-ulimit nofile=65536:65536 (or `default-ulimits` in /etc/docker/daemon.json)',
  conntrack: 'sudo sysctl -w net.netfilter.nf_conntrack_max=262144',
} as const;
