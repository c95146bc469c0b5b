//! The manifests of what the tests roll out: a Deployment of the demo service, and its Service.

/// A version of the demo service, by the name of its image in `tests/cluster/images`.
pub fn image(version: &str) -> String {
    format!("registry.local/demo-service:{version}")
}

/// A Deployment whose pods are probed and scraped. The container is named as the Deployment.
pub fn deployment(name: &str, version: &str, replicas: u32) -> String {
    let image = image(version);
    format!(
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels: {{app: {name}}}
spec:
  replicas: {replicas}
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
      annotations: {{prometheus.io/scrape: "true", prometheus.io/port: "8080"}}
    spec:
      terminationGracePeriodSeconds: 30
      containers:
      - name: {name}
        image: {image}
        imagePullPolicy: IfNotPresent
        ports: [{{containerPort: 8080}}]
        readinessProbe:
          httpGet: {{path: /health, port: 8080}}
          periodSeconds: 1
        resources:
          requests: {{cpu: 10m, memory: 16Mi}}
"#
    )
}

/// A Service in front of all pods that have the label `app: NAME`.
pub fn service(name: &str) -> String {
    format!(
        r"apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  selector: {{app: {name}}}
  ports: [{{port: 80, targetPort: 8080}}]
"
    )
}
