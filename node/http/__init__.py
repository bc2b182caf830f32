"""HTTP: what peers and the public see, and the admin API of the operator."""
