/* The thin Vue wrapper that puts one of our modules on a NiceGUI page. */

export default {
  // NiceGUI gives the outer element an id of its own
  template: '<div><div class="module" ref="root"></div></div>',
  props: { module: String, options: Object },
  async mounted() {
    const { mount } = await import(this.module);
    this.takeDown = mount(this.$refs.root, this.options);
  },
  unmounted() {
    this.takeDown?.();
  },
};
